"""A tiny processed MEAD in the published layout, written with h5py and soundfile and read back."""

import logging
import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import soundfile
import torch
from hostile_pickles import CANARY, Evil, nothing_runs  # noqa: F401 (a fixture)
from mead_files import MEN, NUM_EXPRESSION, NUM_FEATURES, NUM_SHAPE, SHORT, TAKES, write_tree

from emote_blender.emotion import EMOTIONS
from emote_blender.errors import InputError
from emote_blender.training.data.clips import ClipBatches, SpeechClip, WindowSettings, window_batch
from emote_blender.training.data.mead.layout import split_by_sequence
from emote_blender.training.data.mead.mead import (
    PUBLISHED_SPLIT,
    RECONSTRUCTION,
    MEADClips,
    find_takes,
    speaker_columns,
    split_identities,
)

SIZES: dict[str, Any] = {"num_expression": NUM_EXPRESSION, "num_shape": NUM_SHAPE, "feature_dim": NUM_FEATURES}


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A processed data set of seven men and four women that no test changes, and what is in it."""
    root = tmp_path_factory.mktemp("mead") / "processed"
    return root, write_tree(root)


@pytest.fixture
def small_tree(tmp_path):
    """One of two men and two takes each that a test may damage; M003 is for training."""
    return tmp_path / "processed", write_tree(tmp_path / "processed", MEN[:2], (TAKES[0], TAKES[2]))


def reconstruction(root: Path, folder: str = SHORT) -> Path:
    return root / "reconstructions" / RECONSTRUCTION / folder / "shape_pose_cam.hdf5"


def landmarks(root: Path, folder: str = SHORT) -> Path:
    return root / "landmarks_original/mediapipe" / folder / "landmarks.hdf5"


def every(clips: MEADClips) -> list[SpeechClip]:
    return [clips[index] for index in range(len(clips))]


def short_clip(root: Path, **options):
    """The clip SHORT."""
    clips = MEADClips(root, **{**SIZES, **options})
    return clips[[take.folder.as_posix() for take in clips.takes].index(SHORT)]


# ---------------------------------------------------------------- what is read


def test_every_clip_is_read_back_exactly(tree):
    root, written = tree
    clips = MEADClips(root, "all", with_features=True, **SIZES)
    assert len(clips) == len(written)
    for clip in every(clips):
        values = written[clip.name]
        np.testing.assert_array_equal(clip.motion, np.concatenate([values["exp"], values["jaw"]], axis=1))
        np.testing.assert_array_equal(clip.valid, values["valid"])
        np.testing.assert_array_equal(clip.samples, values["samples"].astype(np.float32))
        np.testing.assert_array_equal(clip.emotion_features, values["feature"])


def test_a_clip_has_one_shape_the_mean_over_frames_with_landmarks(tree):
    root, written = tree
    for clip in every(MEADClips(root, **SIZES)):
        values = written[clip.name]
        weights = values["valid"].astype(np.float64)
        expected = (weights[:, None] * values["shape"]).sum(0) / weights.sum()
        np.testing.assert_allclose(clip.shape, expected, atol=1e-6)
        assert np.abs(clip.shape - values["shape"].mean(0)).max() > 1e-3


def test_emotions_have_our_names_and_levels_begin_at_zero(tree):
    found = {clip.name[5:]: (EMOTIONS[clip.emotion], clip.intensity) for clip in every(MEADClips(tree[0], **SIZES))}
    assert found == {
        "front/neutral/level_1/001": ("neutral", 0),
        "front/angry/level_1/001": ("anger", 0),
        "front/angry/level_3/002": ("anger", 2),
        "front/surprised/level_2/001": ("surprise", 1),
    }


def test_a_window_of_a_shorter_clip_is_padded_and_masked(tree):
    root, written = tree
    clips = MEADClips(root, with_features=True, **SIZES)
    index = [take.folder.as_posix() for take in clips.takes].index(SHORT)
    batch = window_batch(clips, [index, index + 1], 16, np.random.default_rng(0))
    np.testing.assert_array_equal(batch.valid[0, :10], written[SHORT]["valid"])
    assert not batch.valid[0, 10:].any()
    assert batch.motion[0, 10:].abs().max() == batch.samples[0, 6400:].abs().max() == 0
    assert batch.condition.shape == (2, 16, 8 + 3 + 6)
    assert batch.emotion_features.shape == (2, 16, NUM_FEATURES)
    assert batch.shape.shape == (2, NUM_SHAPE)


def test_batches_are_the_same_by_number_in_another_process(tree):
    batches = ClipBatches(MEADClips(tree[0], **SIZES), WindowSettings(batch_size=3, num_frames=16, seed=1))
    again = pickle.loads(pickle.dumps(batches))
    for number in (4, 0):
        for name, tensor in batches[number].tensors().items():
            assert torch.equal(tensor, getattr(again[number], name)), name


def test_sound_and_features_are_read_only_where_wanted(tree, tmp_path):
    clip = short_clip(tree[0], with_audio=False)
    assert clip.emotion_features is None
    assert clip.samples.shape == (6400,)
    assert np.abs(clip.samples).max() == 0


def test_the_folder_above_processed_will_do(tree):
    assert len(MEADClips(tree[0].parent, **SIZES)) == len(MEADClips(tree[0], **SIZES))


# ---------------------------------------------------------------- who is in which part


def test_the_published_lists_come_from_the_published_rule():
    """The lists of spec 3.2 and the rule of spec 9 were written down apart from each other."""
    assert split_identities(PUBLISHED_SPLIT.part("all")) == PUBLISHED_SPLIT
    men = [sum(name[0] == "M" for name in PUBLISHED_SPLIT.part(part)) for part in ("train", "validation", "test")]
    assert men == [18, 4, 5]
    assert [len(PUBLISHED_SPLIT.part(part)) for part in ("train", "validation", "test")] == [32, 7, 8]


def test_people_are_divided_men_and_women_apart(tree):
    """int(4.9), int(5.95) of 7 men and int(2.8), int(3.4) of 4 women."""
    parts = {part: {take.identity for take in MEADClips(tree[0], part, **SIZES).takes} for part in ("train", "test")}
    assert parts["train"] == {"M003", "M005", "M007", "M009", "W009", "W011"}
    validation = {take.identity for take in MEADClips(tree[0], "validation", **SIZES).takes}
    assert validation == {"M011", "W014"}
    assert parts["test"] == {"M012", "M013", "W015"}


def test_training_clips_have_their_identitys_column(tree):
    clips = MEADClips(tree[0], **SIZES)
    assert tuple(clips.speakers) == ("M003", "M005", "M007", "M009", "W009", "W011")
    assert all(clips.speakers[clip.speaker] == clip.name[:4] for clip in every(clips))


def test_people_who_are_held_out_have_a_training_identitys_column(tree):
    columns = speaker_columns(PUBLISHED_SPLIT)
    assert all(0 <= columns[name] < 32 for name in PUBLISHED_SPLIT.validation + PUBLISHED_SPLIT.test)
    assert len({columns[name] for name in PUBLISHED_SPLIT.validation + PUBLISHED_SPLIT.test}) > 5
    assert columns == speaker_columns(PUBLISHED_SPLIT)
    validation = MEADClips(tree[0], "validation", **SIZES)
    expected = speaker_columns(validation.identities)
    assert all(clip.speaker == expected[clip.name[:4]] < 6 for clip in every(validation))


def test_the_published_columns_can_be_kept_with_a_part_of_the_data(tree):
    clips = MEADClips(tree[0], identities=PUBLISHED_SPLIT, **SIZES)
    assert len(clips.speakers) == 32
    women = [clip for clip in every(clips) if clip.name.startswith("W015")]
    assert len(women) == len(TAKES)
    assert {clip.speaker for clip in women} == {21}  # after 18 men, W009, W011, W014


def test_takes_can_be_divided_whoever_speaks(tree):
    takes = find_takes(tree[0] / "reconstructions" / RECONSTRUCTION)
    parts = split_by_sequence(takes)
    assert [len(part) for part in parts] == [int(44 * 0.7), int(44 * 0.85) - int(44 * 0.7), 44 - int(44 * 0.85)]
    assert set().union(*parts) == set(takes)


def test_folders_that_are_not_meads_are_left_out(small_tree, caplog):
    root, _ = small_tree
    base = root / "reconstructions" / RECONSTRUCTION
    for extra in ("notes", ".cache", "W017/left_60", "M003/front/bored/level_1/001", "M003/front/happy/level_4/001"):
        (base / extra).mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        assert len(find_takes(base)) == 4
    assert "bored/level_1, happy/level_4, notes" in caplog.text


# ---------------------------------------------------------------- landmarks


def test_without_landmarks_every_frame_is_valid_and_one_warning_says_so(small_tree, caplog):
    root, written = small_tree
    (root / "landmarks_original").rename(root / "elsewhere")
    with caplog.at_level(logging.WARNING):
        clips = every(MEADClips(root, **SIZES))
    assert all(clip.valid.all() for clip in clips)
    np.testing.assert_allclose(clips[0].shape, written[clips[0].name]["shape"].mean(0), atol=1e-6)
    assert [record.message.count("landmarks.zip") for record in caplog.records] == [1]


def test_landmarks_themselves_say_where_the_face_was_seen(small_tree):
    root, _ = small_tree
    points = np.ones((1, 10, 5, 2))
    points[0, 3] = np.nan
    points[0, 7] = 0
    with h5py.File(landmarks(root), "w") as file:
        file["landmarks"] = points
    assert np.flatnonzero(~short_clip(root).valid).tolist() == [3, 7]


@pytest.mark.parametrize("wrap", [lambda points: points, lambda points: [] if points is None else [points]])
def test_pickled_landmarks_are_read_without_running_them(small_tree, wrap):
    root, _ = small_tree
    frames = [np.ones((5, 2))] * 10
    frames[4] = None
    frames[6] = np.zeros((0, 2))
    landmarks(root).unlink()
    landmarks(root).with_suffix(".pkl").write_bytes(pickle.dumps([wrap(frame) for frame in frames]))
    assert np.flatnonzero(~short_clip(root).valid).tolist() == [4, 6]


def test_a_pickle_that_would_run_code_is_refused(small_tree):
    root, _ = small_tree
    landmarks(root).unlink()
    landmarks(root).with_suffix(".pkl").write_bytes(pickle.dumps([Evil(exec, f"import os; os.environ['{CANARY}']=''")]))
    with pytest.raises(InputError, match="landmarks.pkl"):
        short_clip(root)


def test_a_clip_without_a_face_has_the_plain_mean_shape(small_tree):
    root, written = small_tree
    with h5py.File(landmarks(root), "w") as file:
        file["validity"] = np.zeros((1, 10, 1))
    clip = short_clip(root)
    assert not clip.valid.any()
    np.testing.assert_allclose(clip.shape, written[SHORT]["shape"].mean(0), atol=1e-6)


def test_what_is_no_number_where_no_face_was_seen_does_no_harm(small_tree):
    root, written = small_tree
    unseen = ~written[SHORT]["valid"]
    with h5py.File(reconstruction(root), "a") as file:
        for name in ("exp", "shape"):
            file[name][...] = np.where(unseen[None, :, None], np.nan, file[name][...])
    clip = short_clip(root)
    assert np.isfinite(clip.motion).all()
    assert np.isfinite(clip.shape).all()
    np.testing.assert_array_equal(clip.motion[~unseen, :NUM_EXPRESSION], written[SHORT]["exp"][~unseen])


# ---------------------------------------------------------------- what is refused


def _replace(path: Path, name: str, values) -> None:
    with h5py.File(path, "a") as file:
        del file[name]
        if values is not None:
            file[name] = values


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-700])


def _link_outside(path: Path) -> None:
    path.with_name("other.hdf5").write_bytes(path.read_bytes())
    _replace(path, "exp", h5py.ExternalLink("other.hdf5", "exp"))


def _store_outside(path: Path) -> None:
    _replace(path, "exp", None)
    with h5py.File(path, "a") as file:
        file.create_dataset("exp", (1, 10, NUM_EXPRESSION), "f4", external=[(path.name, 0, 240)])


def _announce_too_much(path: Path) -> None:
    _replace(path, "exp", None)
    with h5py.File(path, "a") as file:
        file.create_dataset("exp", (1, 1 << 40, NUM_EXPRESSION), "f4", chunks=(1, 64, NUM_EXPRESSION))


@pytest.mark.parametrize(
    "damage, sentence",
    [
        (lambda path: path.unlink(), "not found; unpack"),
        (lambda path: path.write_bytes(b""), "is not an HDF5 file or is damaged"),
        (lambda path: path.write_bytes(b"PK\3\4 something else"), "is not an HDF5 file or is damaged"),
        (_truncate, "is not an HDF5 file or is damaged"),
        (lambda path: _replace(path, "exp", None), "has no 'exp', only cam, global_pose, jaw, shape"),
        (lambda path: _replace(path, "exp", np.zeros((1, 10, 5))), "exp has 5 coefficients, but 6 are wanted"),
        (lambda path: _replace(path, "shape", np.zeros((1, 10, 3))), "shape has 3 coefficients, but 4"),
        (lambda path: _replace(path, "jaw", np.zeros((1, 10, 6))), "jaw has 6 coefficients, but 3"),
        (lambda path: _replace(path, "jaw", np.zeros((1, 9, 3))), "frames differ .10 of exp, 9 of jaw, 10 of shape"),
        (lambda path: _replace(path, "exp", np.zeros((1, 0, 6))), "exp must be"),
        (lambda path: _replace(path, "exp", np.zeros(6)), "exp must be"),
        (lambda path: _replace(path, "exp", np.full((1, 10, 6), np.nan)), "exp holds values that are not numbers"),
        (lambda path: _replace(path, "exp", np.full((1, 10, 6), 1e300)), "exp holds values that are not numbers"),
        (lambda path: _replace(path, "exp", ["text"]), "exp is .* of object"),
        (lambda path: _replace(path, "exp", h5py.Empty("f4")), "damaged"),
        (_link_outside, "has no 'exp'"),
        (_store_outside, "exp lies in another file"),
        (_announce_too_much, "not numbers that fit in memory"),
    ],
)
def test_a_reconstruction_that_cannot_be_used_is_one_clear_sentence(small_tree, damage, sentence):
    root, _ = small_tree
    damage(reconstruction(root))
    with pytest.raises(InputError, match=sentence) as caught:
        short_clip(root)
    assert str(reconstruction(root)) in str(caught.value)
    assert "\n" not in str(caught.value)


def _cut_off_features(root: Path) -> None:
    path = root / f"emotions/resnet50/{SHORT}/features.hdf5"
    _replace(path, "feature", np.zeros((1, 9, NUM_FEATURES)))


def _cut_off_validity(root: Path) -> None:
    _replace(landmarks(root), "valid", np.ones((1, 11)))


@pytest.mark.parametrize(
    "damage, sentence",
    [
        (lambda root: (root / f"audio/{SHORT}.wav").unlink(), "002.wav not found"),
        (lambda root: (root / f"audio/{SHORT}.wav").write_bytes(b"RIFF"), "002.wav is a text file, not sound"),
        (lambda root: soundfile.write(root / f"audio/{SHORT}.wav", np.zeros(16000), 16000), "002.wav lasts 1.00 s"),
        (lambda root: (root / f"emotions/resnet50/{SHORT}/features.hdf5").unlink(), "features.hdf5 not found"),
        (_cut_off_features, "features.hdf5 has 9 frames, but the reconstruction 10"),
        (_cut_off_validity, "landmarks.hdf5 has 11 frames, but the reconstruction 10"),
        (lambda root: _replace(landmarks(root), "valid", None), "no dataset of landmarks or validity, only nothing"),
        (lambda root: _truncate(landmarks(root)), "landmarks.hdf5 is not an HDF5 file or is damaged"),
    ],
)
def test_a_clip_that_lacks_something_is_one_clear_sentence(small_tree, damage, sentence):
    root, _ = small_tree
    damage(root)
    with pytest.raises(InputError, match=sentence):
        short_clip(root, with_features=True)


@pytest.mark.parametrize("missing", ["reconstructions", f"reconstructions/{RECONSTRUCTION}", "emotions"])
def test_a_folder_that_is_missing_is_named(small_tree, missing):
    root, _ = small_tree
    (root / missing).rename(root / "elsewhere")
    with pytest.raises(InputError, match=missing.split("/")[-1]):
        MEADClips(root, with_features=True, **SIZES)


def test_another_reconstruction_is_offered(small_tree):
    with pytest.raises(InputError, match=f"EMICA_v0 not found; found {RECONSTRUCTION} there"):
        MEADClips(small_tree[0], reconstruction="EMICA_v0", **SIZES)


def test_a_part_without_people_says_so(small_tree):
    with pytest.raises(InputError, match="no clips of the validation part among 4"):
        MEADClips(small_tree[0], "validation", **SIZES)
    for name in (MEN[0], "M003"):
        path = small_tree[0] / "reconstructions" / RECONSTRUCTION / name
        if path.exists():
            path.rename(path.with_name(f"{name}_old"))
    with pytest.raises(InputError, match="no identity to train on"):
        MEADClips(small_tree[0], **SIZES)
