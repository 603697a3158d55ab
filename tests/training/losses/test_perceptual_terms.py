"""A step of the second stage, each term computed again clip by clip from what the modules put out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import tiny_emote_config
from torch import nn

from emote_blender.errors import InputError
from emote_blender.speech_model.config import DecoderConfig, FLINTConfig
from emote_blender.training.data.clip_batch import ClipBatch
from emote_blender.training.losses.perceptual import build_networks, frames_before_padding
from emote_blender.training.losses.perceptual_settings import PerceptualSettings
from emote_blender.training.losses.vertex import VertexLoss
from emote_blender.training.networks.emotion_network import EmotionNetwork, EmotionNetworkConfig
from emote_blender.training.networks.folder import save_network
from emote_blender.training.networks.lip_reading import LipReader, LipReaderConfig
from emote_blender.training.networks.video_emotion import VideoEmotionConfig, VideoEmotionNetwork
from emote_blender.training.rendering.face_film import FaceFilm
from emote_blender.training.tasks.emote.emote_parts import EMOTEParts
from emote_blender.training.tasks.emote.emote_settings import (
    PERCEPTUAL_TERMS,
    CorpusData,
    EMOTESettings,
    LossSettings,
    ModelSettings,
    StartSettings,
)
from emote_blender.training.tasks.emote.emote_task import EMOTETask

CLIPS, FRAMES, RENDERED, IMAGE_SIZE = 4, 8, 4, 40
TOLERANCE = 1e-3  # relative; of cosines near 1 in float32, and of pixels that numpy's vertices put beside an edge
SPEAKERS = ("A", "B", "C", "D")
EXCHANGED = 11  # columns of 8 emotions and 3 intensities
V2_WEIGHTS: dict[str, Any] = {
    "emotion_video": 1.5e-6,
    "emotion_video_disentangled": 1.5e-6,
    "lip_reading": 2.5e-5,
    "lip_reading_disentangled": 2.5e-5,
}
LOSS = LossSettings(mesh="flame", **V2_WEIGHTS)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As many cores as the machine has would only wait for each other here."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def wild_motion(clips: int, frames: int, seed: int) -> torch.Tensor:
    """Faces that pull a new face in every frame, so that what networks see of them differs."""
    generator = torch.Generator().manual_seed(seed)
    motion = torch.rand(clips, frames, 53, generator=generator)
    motion[..., 50:] *= torch.tensor([0.4, 0.1, 0.1])
    return motion


@pytest.fixture(scope="module")
def watching(open_head, tmp_path_factory) -> PerceptualSettings:
    """Small networks with random weights, their batch norms settled on faces; in folders."""
    folder = tmp_path_factory.mktemp("networks")
    torch.manual_seed(1)
    frames = EmotionNetwork(EmotionNetworkConfig("tiny", 32))
    video = VideoEmotionNetwork(VideoEmotionConfig(feature_dim=frames.config.feature_dim, dim=16, num_heads=4))
    reader = LipReader(LipReaderConfig.tiny())
    film = FaceFilm(open_head, IMAGE_SIZE, "framing")
    with torch.no_grad():
        vertices = film.face(wild_motion(1, 8, seed=9))
        pictures = film.pictures(vertices)
        for network in (frames, reader):
            for module in network.modules():
                if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                    module.momentum = 1.0
        frames.train().features(pictures[0])
        reader.train().features(film.crops(vertices, pictures))
        video.sequence_encoder.transformer_encoder.bottleneck.weight *= 5
    save_network(frames, folder / "frames")
    save_network(video, folder / "video")
    save_network(reader, folder / "lips")
    return PerceptualSettings(
        folder / "frames", folder / "video", folder / "lips", IMAGE_SIZE, "framing", render_frames=RENDERED
    )


def speech(real_videos: bool = True) -> ClipBatch:
    """Four clips, each with an emotion, an intensity and a speaker of its own, and frames that were not seen."""
    generator = torch.Generator().manual_seed(5)
    condition = torch.zeros(CLIPS, FRAMES, EXCHANGED + len(SPEAKERS))
    for clip in range(CLIPS):
        condition[clip, :, 2 * clip] = 1
        condition[clip, :, 8 + clip % 3] = 1
        condition[clip, :, EXCHANGED + clip] = 1
    valid = torch.ones(CLIPS, FRAMES, dtype=torch.bool)
    valid[1, 3], valid[2, 2:5] = False, False
    return ClipBatch(
        samples=0.3 * torch.randn(CLIPS, 640 * FRAMES, generator=generator),
        motion=wild_motion(CLIPS, FRAMES, seed=6),
        condition=condition,
        valid=valid,
        shape=torch.randn(CLIPS, 12, generator=generator),
        emotion_features=torch.randn(CLIPS, FRAMES, 128, generator=generator) if real_videos else None,
    )


@dataclass
class OneBatch:
    """Data of one batch."""

    content: ClipBatch
    speakers: tuple[str, ...] = SPEAKERS
    num_batches: int | None = None

    def batch(self, number: int) -> ClipBatch:
        return self.content

    def validation(self) -> Iterator[ClipBatch]:
        yield self.content


def task_and_parts(
    open_head, watching, loss=LOSS, batch=None, freeze=("audio_model",)
) -> tuple[EMOTETask, EMOTEParts, ClipBatch]:
    """The second stage with a tiny Wav2Vec 2.0, a tiny FLINT and the watching networks."""
    config = replace(
        tiny_emote_config("wav2vec2", 50, speakers=SPEAKERS, expression_names=None),
        flint=FLINTConfig(50, feature_dim=16, intermediate_size=16, num_heads=4),
        decoder=DecoderConfig(feature_dim=16, intermediate_size=16, num_heads=4, dropout=0.25),
    )
    settings = EMOTESettings(
        ModelSettings("tiny", "open_head", "CC0-1.0", config.audio_encoder, config.flint, config.decoder),
        CorpusData({"a": 1.0}, ("b",), batch_size=CLIPS, num_frames=FRAMES),
        StartSettings(freeze=freeze),
        loss,
        watching,
    )
    batch = speech() if batch is None else batch
    task = EMOTETask(settings, OneBatch(batch), "open_head")
    torch.manual_seed(2)
    networks = build_networks(open_head, watching, loss.needs_emotion, loss.needs_lips)
    parts = EMOTEParts(config, VertexLoss(open_head), networks, freeze)
    with torch.no_grad():  # an untrained prior hardly moves the face
        decoder = parts.emote.sequence_decoder
        decoder.motion_prior.motion_decoder.cross_smooth_layer.weight *= 10
        for layer in (decoder.obj_vector.map, decoder.decoder, decoder.squasher_2.linear):
            layer.weight *= 10
    return task, parts.train(), batch


@dataclass
class Recorded:
    """What passed through the modules in one step."""

    features: list[torch.Tensor]
    conditions: list[torch.Tensor]
    motions: list[torch.Tensor]
    filmed: list[torch.Tensor]


def record_step(task: EMOTETask, parts: EMOTEParts, batch: ClipBatch, seed: int):
    """Loss and terms of a step, and what passed through."""
    record = Recorded([], [], [], [])
    decoder = parts.emote.sequence_decoder
    hooks = [
        parts.emote.audio_model.register_forward_hook(lambda m, i, o: record.features.append(o)),
        decoder.obj_vector.register_forward_hook(lambda m, i, o: record.conditions.append(i[0])),
        decoder.motion_prior.motion_decoder.register_forward_hook(lambda m, i, o: record.motions.append(o)),
        parts.perceptual.film.face.register_forward_hook(lambda m, i, o: record.filmed.append(i[0])),
    ]
    torch.manual_seed(seed)
    try:
        total, terms = task.loss(parts, batch, 0)
    finally:
        for hook in hooks:
            hook.remove()
    return total, terms, record


class SlowEyes:
    """The networks, shown one clip at a time; the head is posed by numpy."""

    def __init__(self, networks, open_head) -> None:
        self.networks, self.open_head = networks, open_head

    def vertices(self, motion: torch.Tensor, shape: torch.Tensor) -> np.ndarray:
        """(T, V, 3) of (T, 53) and (12,)."""
        array = motion.detach().numpy()
        return self.open_head.vertices(array[:, :50], array[:, 50:], shape.numpy())

    @torch.no_grad()
    def emotion(self, motion: torch.Tensor, shape: torch.Tensor) -> np.ndarray:
        vertices = torch.from_numpy(self.vertices(motion, shape))
        pictures = [self.networks.film.pictures(frame[None, None])[0] for frame in vertices]
        features = torch.cat([self.networks.emotion_network.features(picture) for picture in pictures])
        return self.of_video(features)

    @torch.no_grad()
    def of_video(self, features: torch.Tensor) -> np.ndarray:
        return self.networks.video_emotion(features[None]).feature[0].double().numpy()

    @torch.no_grad()
    def lips(self, motion: torch.Tensor, shape: torch.Tensor) -> np.ndarray:
        vertices = torch.from_numpy(self.vertices(motion, shape))[None]
        crops = self.networks.film.crops(vertices)
        return self.networks.lip_reader.features(crops)[0].double().numpy()


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return 1 - float(a @ b) / float(np.sqrt(a @ a) * np.sqrt(b @ b))


def donors_of(conditions: torch.Tensor, batch: ClipBatch) -> list[int]:
    """From which clip each clip of the second half has its emotion and intensity, throughout."""
    donors = []
    for clip in range(CLIPS):
        given = conditions[CLIPS + clip]
        equal = [j for j in range(CLIPS) if torch.equal(given[:, :EXCHANGED], batch.condition[j, :, :EXCHANGED])]
        assert len(equal) == 1
        assert torch.equal(given[:, EXCHANGED:], batch.condition[clip, :, EXCHANGED:])  # the speaker stays
        donors += equal
    return donors


def rendered_run(filmed: torch.Tensor, batch: ClipBatch) -> slice:
    """Which frames of the window were rendered."""
    starts = range(FRAMES - RENDERED + 1)
    first = [s for s in starts if torch.equal(filmed, batch.motion[:, s : s + RENDERED])]
    assert len(first) == 1
    return slice(first[0], first[0] + RENDERED)


def mean_lip_distance(found: list[np.ndarray], true: list[np.ndarray], batch: ClipBatch, run: slice) -> float:
    distances = []
    for clip in range(CLIPS):
        for t, valid in enumerate(batch.valid[clip, run].tolist()):
            if valid:
                distances.append(distance(found[clip][t], true[clip][t]))
    return float(np.mean(distances))


def mean_vertex_error(eyes: SlowEyes, found: torch.Tensor, batch: ClipBatch) -> float:
    per_clip = []
    for clip in range(CLIPS):
        shape = batch.shape[clip]
        difference = eyes.vertices(found[clip], shape) - eyes.vertices(batch.motion[clip], shape)
        per_frame = (difference.astype(np.float64) ** 2).mean((1, 2))
        per_clip.append(per_frame[batch.valid[clip].numpy()].mean())
    return float(np.mean(per_clip))


def mean_distance(found: list[np.ndarray], references: list[np.ndarray]) -> float:
    return float(np.mean([distance(a, b) for a, b in zip(found, references, strict=True)]))


def test_every_term_of_a_step_is_what_the_specification_says(open_head, watching):
    task, parts, batch = task_and_parts(open_head, watching)
    total, terms, record = record_step(task, parts, batch, seed=3)
    eyes = SlowEyes(parts.perceptual, open_head)

    assert [tuple(features.shape[:2]) for features in record.features] == [(CLIPS, FRAMES)]  # encoded once
    assert torch.equal(record.conditions[0][:CLIPS], batch.condition)
    donors = donors_of(record.conditions[0], batch)
    assert sorted(donors) == list(range(CLIPS))
    assert all(donor != clip for clip, donor in enumerate(donors))
    own, exchanged = record.motions[0][:CLIPS, :FRAMES], record.motions[0][CLIPS:, :FRAMES]
    run = rendered_run(record.filmed[0], batch)

    def look(eye, motion: torch.Tensor) -> list[np.ndarray]:
        return [eye(motion[clip, run], batch.shape[clip]) for clip in range(CLIPS)]

    references = [eyes.of_video(batch.emotion_features[clip, run]) for clip in range(CLIPS)]
    donated = [references[donor] for donor in donors]
    emotion, exchanged_emotion = look(eyes.emotion, own), look(eyes.emotion, exchanged)
    lips, exchanged_lips, true_lips = (look(eyes.lips, motion) for motion in (own, exchanged, batch.motion))
    expected = {
        "vertices": mean_vertex_error(eyes, own, batch),
        "emotion_video": mean_distance(emotion, references),
        "emotion_video_disentangled": mean_distance(exchanged_emotion, donated),
        "lip_reading": mean_lip_distance(lips, true_lips, batch, run),
        "lip_reading_disentangled": mean_lip_distance(exchanged_lips, true_lips, batch, run),
    }
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value, rel=TOLERANCE), name
    summed = expected["vertices"] + sum(weight * expected[name] for name, weight in V2_WEIGHTS.items())
    assert total.item() == pytest.approx(summed, rel=TOLERANCE)

    # These numbers distinguish the right pairs from wrong ones.
    mistaken = {
        "vertices": [mean_vertex_error(eyes, exchanged, batch)],
        "emotion_video": [mean_distance(emotion, donated), mean_distance(exchanged_emotion, references)],
        "emotion_video_disentangled": [
            mean_distance(exchanged_emotion, references),
            mean_distance(exchanged_emotion, [references[donors.index(clip)] for clip in range(CLIPS)]),
        ],
        "lip_reading": [mean_lip_distance(exchanged_lips, true_lips, batch, run)],
        "lip_reading_disentangled": [
            mean_lip_distance(lips, true_lips, batch, run),
            mean_lip_distance(exchanged_lips, [true_lips[donor] for donor in donors], batch, run),
        ],
    }
    for name, values in mistaken.items():
        for value in values:
            assert abs(value - expected[name]) > 3 * TOLERANCE * expected[name], name


def test_without_real_videos_the_rendered_truth_says_what_emotion_is(open_head, watching):
    batch = speech(real_videos=False)
    loss = LossSettings(emotion_video=1.0, emotion_video_disentangled=1.0)
    task, parts, _ = task_and_parts(open_head, watching, loss, batch)
    _, terms, record = record_step(task, parts, batch, seed=6)
    eyes = SlowEyes(parts.perceptual, open_head)
    donors = donors_of(record.conditions[0], batch)
    run = rendered_run(record.filmed[0], batch)
    motions = record.motions[0][:, :FRAMES]
    references = [eyes.emotion(batch.motion[clip, run], batch.shape[clip]) for clip in range(CLIPS)]
    seen = [eyes.emotion(motions[clip, run], batch.shape[clip % CLIPS]) for clip in range(2 * CLIPS)]
    own = mean_distance(seen[:CLIPS], references)
    exchanged = mean_distance(seen[CLIPS:], [references[donor] for donor in donors])
    assert terms["emotion_video"].item() == pytest.approx(own, rel=TOLERANCE)
    assert terms["emotion_video_disentangled"].item() == pytest.approx(exchanged, rel=TOLERANCE)
    assert abs(exchanged - mean_distance(seen[CLIPS:], references)) > 3 * TOLERANCE * exchanged


def test_every_perceptual_term_reaches_the_decoder_and_nothing_frozen(open_head, watching):
    task, parts, batch = task_and_parts(open_head, watching)
    decoder = parts.emote.sequence_decoder
    _, terms, _ = record_step(task, parts, batch, seed=4)
    for name in PERCEPTUAL_TERMS:
        parts.zero_grad()
        terms[name].backward(retain_graph=True)
        for layer in (parts.emote.sequence_encoder.linear, decoder.obj_vector.map, decoder.squasher_2.linear):
            assert layer.weight.grad.abs().sum() > 0, name
        for frozen in (parts.emote.audio_model, decoder.motion_prior, parts.perceptual):
            assert all(parameter.grad is None for parameter in frozen.parameters()), name


def test_a_step_leaves_what_is_frozen_as_it_was(open_head, watching):
    task, parts, batch = task_and_parts(open_head, watching)
    emote = parts.emote
    frozen: list[nn.Module] = [emote.audio_model, emote.sequence_decoder.motion_prior, parts.perceptual]
    assert not any(module.training for part in frozen for module in part.modules())
    assert emote.sequence_decoder.bert_decoder.training
    before = [{n: t.clone() for n, t in part.state_dict().items()} for part in frozen]  # batch norm's buffers, too
    trained = [parameter for parameter in parts.parameters() if parameter.requires_grad]
    values = [parameter.detach().clone() for parameter in trained]
    optimizer = torch.optim.Adam(trained, 1e-2)
    task.loss(parts, batch, 0)[0].backward()
    optimizer.step()
    for part, state in zip(frozen, before):
        assert all(torch.equal(tensor, state[name]) for name, tensor in part.state_dict().items())
    assert all(not torch.equal(parameter, value) for parameter, value in zip(trained, values))


def test_rendering_seldom_counts_as_much_as_rendering_always(open_head, watching):
    seldom = replace(watching, render_every=3)
    task, parts, batch = task_and_parts(open_head, seldom, loss=LossSettings(emotion_video=0.1, lip_reading=0.2))
    for step in (0, 1, 3):
        torch.manual_seed(8)
        total, terms = task.loss(parts, batch, step)
        if step % 3:
            assert not set(terms) & set(PERCEPTUAL_TERMS)
            assert total == terms["vertices"]
        else:
            wanted = terms["vertices"] + 3 * 0.1 * terms["emotion_video"] + 3 * 0.2 * terms["lip_reading"]
            assert total.item() == pytest.approx(wanted.item(), rel=1e-6)


def test_without_disentangled_terms_nothing_is_exchanged(open_head, watching):
    task, parts, batch = task_and_parts(open_head, watching, loss=LossSettings(lip_reading=1.0))
    _, terms, record = record_step(task, parts, batch, seed=1)
    assert torch.equal(record.conditions[0], batch.condition)
    assert "lip_reading" in terms
    assert not {"lip_reading_disentangled", "emotion_video", "emotion_video_disentangled"} & set(terms)


def test_lips_that_were_never_seen_leave_no_lip_term(open_head, watching):
    batch = speech()
    task, parts, _ = task_and_parts(open_head, watching)
    unseen = replace(batch, valid=torch.zeros_like(batch.valid))
    total, terms, _ = record_step(task, parts, unseen, seed=1)
    assert set(terms) == {"emotion_video", "emotion_video_disentangled"}
    assert total.item() == pytest.approx(1.5e-6 * sum(term.item() for term in terms.values()), rel=1e-5)


def test_what_stands_in_the_padding_of_a_clip_changes_no_emotion_term(open_head, watching):
    loss = LossSettings(emotion_video=1.0, emotion_video_disentangled=1.0)
    task, parts, batch = task_and_parts(open_head, replace(watching, render_frames=FRAMES), loss, padded(speech()))
    total, terms, _ = record_step(task, parts, batch, seed=3)
    assert {"emotion_video", "emotion_video_disentangled"} <= set(terms)
    other = replace(batch, motion=batch.motion.clone(), emotion_features=batch.emotion_features.clone())
    other.motion[1, 5:] = wild_motion(1, FRAMES - 5, seed=7)[0]
    other.emotion_features[1, 5:] += 1
    again, same_terms, _ = record_step(task, parts, other, seed=3)
    for name, term in terms.items():
        assert same_terms[name].item() == pytest.approx(term.item(), rel=1e-5), name
    assert again.item() == pytest.approx(total.item(), rel=1e-5)


def padded(batch: ClipBatch) -> ClipBatch:
    """The same, clip 1 of five frames only."""
    valid = batch.valid.clone()
    valid[1, 5:] = False
    return replace(batch, valid=valid)


def test_frames_before_padding_are_those_up_to_the_last_valid_one_and_never_none():
    valid = torch.tensor([[1, 1, 1, 1], [0, 1, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0]], dtype=torch.bool)
    whole = frames_before_padding(valid, slice(0, 4)).int().tolist()
    assert whole == [[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert frames_before_padding(valid, slice(1, 3)).int().tolist() == [[1, 1], [1, 0], [1, 1], [1, 1]]
    assert frames_before_padding(valid, slice(2, 4)).int().tolist() == [[1, 1], [1, 1], [1, 1], [1, 1]]


def test_the_watching_networks_are_in_no_checkpoint(open_head, watching):
    task, parts, batch = task_and_parts(open_head, watching)
    state = parts.state_dict()
    assert state
    assert not [name for name in state if "perceptual" in name]
    parts.load_state_dict(state)
    state.pop("articulation_head.bias")
    with pytest.raises(RuntimeError, match="articulation_head.bias"):
        parts.load_state_dict(state)


def test_networks_of_different_widths_are_refused(open_head, watching, tmp_path):
    other = save_network(VideoEmotionNetwork(VideoEmotionConfig(feature_dim=64, dim=16)), tmp_path / "video")
    with pytest.raises(InputError, match="64 features per frame.*128"):
        build_networks(open_head, replace(watching, video_emotion=other), emotion=True, lips=False)


def test_a_network_that_is_not_there_is_named(open_head, watching):
    with pytest.raises(Exception, match="nowhere"):
        build_networks(open_head, replace(watching, lip_reader=Path("nowhere")), emotion=False, lips=True)
