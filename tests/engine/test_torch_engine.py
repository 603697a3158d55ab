"""Both engines give the same numbers, and the graphs that ship are those that torch exports today."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_models import GRAPHS

from emote_blender.audio import load_audio
from emote_blender.cli.main import main
from emote_blender.emotion import EmotionTrack
from emote_blender.engine.onnx import OnnxEngine
from emote_blender.engine.open_engine import open_engine
from emote_blender.errors import InputError, ModelError
from emote_blender.files.paths import find_model
from emote_blender.motion import FaceMotion
from emote_blender.pipeline import EMOTEPipeline
from emote_blender.speech_model.config import load_config
from emote_blender.speech_model.graphs import PARTS, find_graph, graph_name

pytest.importorskip("torch", reason="the engine torch needs torch")
pytestmark = pytest.mark.torch

CLIP = Path(__file__).resolve().parents[1] / "data/anger_line.wav"
TEXT = "I told you never to open that door. Now look at what you have done!"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def engines():
    """The open model, run by ONNX Runtime and by torch."""
    folder = find_model("emote_open")
    return open_engine(folder), open_engine(folder, "torch")


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return load_audio(CLIP).samples[:]


def close(found, expected) -> bool:
    """Within 1e-5 of the numbers' size: features reach 6, and torch itself is 2e-5 off what float64 gives there."""
    assert found.shape == expected.shape
    return np.abs(found - expected).max() < TOLERANCE * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("num_frames", [1, 2, 3, 5, 17, 33, 77])
def test_features_posteriors_and_motion_agree_at_every_length(engines, speech, num_frames):
    samples = speech[8000 : 8000 + num_frames * 640]
    phones = np.zeros((2 * num_frames, 39), np.float32)
    phones[::3, 4] = 1
    found, expected = (
        [engine.encode(samples, num_frames), engine.encode(samples, num_frames, None, phones)] for engine in engines
    )
    assert all(map(close, found, expected))
    assert close(*(engine.phone_posteriors(samples, num_frames) for engine in engines))
    condition = np.random.default_rng(0).random((num_frames, 15), dtype=np.float32)
    assert close(*(engine.motion(found[0], condition) for engine in engines))


def test_windows_with_the_clips_statistics_agree(engines, speech):
    clip = np.concatenate([speech[: 90 * 640], 0.05 * speech[: 90 * 640]])  # two passages
    for first in (10, 100):
        window = clip[first * 640 : (first + 20) * 640]
        found, expected = (
            engine.encode(window, 20, engine.clip_statistics(clip).from_frame(first)) for engine in engines
        )
        assert close(found, expected)


def test_silence_agrees(engines):
    assert close(*(engine.encode(np.zeros(6400, np.float32), 10) for engine in engines))


@pytest.mark.parametrize("audio", ["log_mel", "wav2vec2"])
def test_random_models_agree_in_short_windows(make_tiny_folder, audio, speech):
    """The number of speakers is free, and both encoders normalise by the whole clip."""
    folder = make_tiny_folder(audio=audio, speakers=tuple("ABCDEFG"))
    clip = replace(load_audio(CLIP), samples=np.tile(speech, 5))
    found, expected = (
        pipeline.generate(pipeline.encode(clip), EmotionTrack.constant("fear", 1.5), "F").expression
        for pipeline in (EMOTEPipeline(open_engine(folder, name), 400) for name in ("onnx", "torch"))
    )
    assert close(found, expected)


def test_a_wav2vec2_with_layer_norm_agrees(make_tiny_config, make_tiny_model, tmp_path, speech):
    """An architecture without a shipped graph: it is made once and lies in the model's folder."""
    pytest.importorskip("onnxscript", reason="making a graph needs onnxscript")
    from emote_blender.emote.checkpoint import save_model

    encoder = replace(make_tiny_config("wav2vec2").audio_encoder, feat_extract_norm="layer", conv_bias=True)
    folder = save_model(make_tiny_model(audio_encoder=encoder), tmp_path / "layer")
    (folder / "graphs").mkdir()
    for file in GRAPHS.glob(graph_name(load_config(folder), "motion") + ".*"):  # the tests have this half
        shutil.copy2(file, folder / "graphs")
    with pytest.raises(ModelError, match="convert graphs"):
        open_engine(folder)
    assert main(["convert", "graphs", str(folder)]) == 0
    found, expected = (open_engine(folder, name).encode(speech[:6400], 10) for name in ("onnx", "torch"))
    assert close(found, expected)


def test_the_command_line_writes_the_same_motion_with_either_engine(tmp_path):
    motions = []
    for engine in ("onnx", "torch"):
        output = tmp_path / f"{engine}.npz"
        command = ["generate", str(CLIP), "-o", str(output), "--emotion", "anger", "--transcript", TEXT]
        assert main([*command, "--engine", engine]) == 0
        motions.append(FaceMotion.load(output))
    assert close(*(motion.expression for motion in motions))
    assert close(*(motion.jaw for motion in motions))
    assert motions[0].meta == motions[1].meta


def test_a_batch_writes_the_same_motion_with_either_engine(tmp_path):
    (tmp_path / "jobs.csv").write_text(f"audio,emotion,output\n{CLIP},sad,a.npz\n{CLIP},happy,b.npz\n")
    for engine in ("onnx", "torch"):
        command = ["batch", str(tmp_path / "jobs.csv"), "-o", str(tmp_path / engine), "--engine", engine]
        assert main(command) == 0
    for name in ("a.npz", "b.npz"):
        assert close(*(FaceMotion.load(tmp_path / engine / name).expression for engine in ("onnx", "torch")))


def test_a_device_that_is_not_there_is_said():
    with pytest.raises(InputError, match="torch cannot use the device 'cuda:7'"):
        open_engine(find_model("emote_open"), "torch", "cuda:7")


def shipped_parts() -> dict:
    """The configuration and part of every shipped graph, by the graph's name."""
    from emote_blender.emote.export import shipped_configs

    return {graph_name(config, part): (config, part) for config in shipped_configs() for part in PARTS}


@pytest.mark.slow
def test_the_open_models_graphs_are_what_torch_exports_byte_by_byte(tmp_path):
    """Of the others, the numbers are compared: of those that ship below, of a new one of each kind above."""
    pytest.importorskip("onnxscript", reason="making a graph needs onnxscript")
    from emote_blender.emote.export import write_graph

    config = load_config(find_model("emote_open"))
    for part in PARTS:
        shipped, made = find_graph(config, part), write_graph(config, part, tmp_path)
        assert made.path.read_bytes() == shipped.path.read_bytes()
        assert made.path.with_suffix(".json").read_bytes() == shipped.path.with_suffix(".json").read_bytes()


@pytest.mark.parametrize("frames", [1, 20])
def test_every_shipped_motion_graph_has_the_numbers_of_torch(frames):
    import torch

    from emote_blender.emote.export import Motion
    from emote_blender.engine.onnx import load_runtime, open_graph

    motions = [(config, part) for config, part in shipped_parts().values() if part == "motion"]
    assert len(motions) == 7
    for config, part in motions:
        torch.manual_seed(0)
        module = Motion(config).eval()
        inputs = [torch.randn(1, frames, width) for width in (config.audio_encoder.dim, config.num_conditions)]
        inputs.append(torch.randn(config.num_conditions, config.decoder.feature_dim))
        weights = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
        session = open_graph(load_runtime(), find_graph(config, part), weights, 1)
        (found,) = session.run(None, dict(zip(module.inputs, (tensor.numpy() for tensor in inputs), strict=True)))
        with torch.inference_mode():
            assert close(found, module(*inputs).numpy())


def test_an_official_size_model_agrees(tmp_path, speech):
    from test_graphs import official_config
    from tiny_models import write_random_model

    folder = write_random_model(official_config(load_config(find_model("emote_open"))), tmp_path / "official")
    torch_engine, onnx_engine = open_engine(folder, "torch"), OnnxEngine(folder)
    condition = np.random.default_rng(0).random((25, 15), dtype=np.float32)
    found, expected = (
        engine.motion(engine.encode(speech[:16000], 25), condition) for engine in (onnx_engine, torch_engine)
    )
    assert close(found, expected)
