"""A folder of motions and sounds, written with `FaceMotion.save` and soundfile and read back."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hostile_pickles import CANARY, Evil, nothing_runs  # noqa: F401 (a fixture)

from emote_blender.emotion import EMOTIONS
from emote_blender.errors import InputError
from emote_blender.motion import FaceMotion
from emote_blender.training.data.clips import ClipBatches, WindowSettings, window_batch
from emote_blender.training.data.motion_folder import MotionFolder

META = {"emotion": "anger", "intensity": 2.0, "speaker": "even", "face": "open_head"}


def write_motion(path: Path, num_frames: int = 30, fps: float = 25.0, num_expression: int = 5, **changes) -> FaceMotion:
    """A motion whose coefficients rise by 1 a second, and its sound."""
    seconds = np.arange(num_frames) / fps
    motion = FaceMotion(
        np.tile(seconds[:, None], (1, num_expression)) + np.arange(num_expression),
        np.stack([0.1 * seconds, 0 * seconds, 0 * seconds], axis=1),
        fps,
        meta={name: value for name, value in {**META, **changes}.items() if value != "left out"},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    motion.save(path)
    samples = np.round(np.sin(np.arange(round(num_frames / fps * 16000))) * 16000) / 32768
    soundfile.write(path.with_suffix(".wav"), samples, 16000, subtype="PCM_16")
    return motion


def add_arrays(path: Path, **arrays) -> None:
    """Write a motion file again, with more in it."""
    with np.load(path) as archive:
        np.savez(path, **{**archive, **arrays})


def test_a_folder_is_read_back_exactly(tmp_path):
    written = {
        "a.npz": write_motion(tmp_path / "a.npz"),
        "more/b.npz": write_motion(tmp_path / "more/b.npz", 12, emotion="HAPPY", intensity=0.5, speaker="broad"),
    }
    clips = MotionFolder(tmp_path)
    read = [clips[index] for index in range(len(clips))]
    assert [clip.name for clip in read] == sorted(written)
    for clip in read:
        motion = written[clip.name]
        np.testing.assert_array_equal(clip.motion, np.concatenate([motion.expression, motion.jaw], axis=1))
        samples, _ = soundfile.read(tmp_path / Path(clip.name).with_suffix(".wav"), dtype="float32")
        np.testing.assert_array_equal(clip.samples, samples)
        assert clip.valid.all()
        assert EMOTIONS[clip.emotion] == motion.meta["emotion"].lower()
        assert (clip.intensity, clips.speakers[clip.speaker]) == (motion.meta["intensity"], motion.meta["speaker"])
    assert clips.speakers == ("broad", "even")
    assert (clips.num_expression, clips.face) == (5, "open_head")


def test_other_frame_rates_become_25(tmp_path):
    """Two seconds at 30, 60 and 24 fps: coefficients stay on their straight line, up to the last frame, which holds."""
    for fps in (30, 60, 24):
        write_motion(tmp_path / f"at_{fps}.npz", 2 * fps, fps)
    clips = MotionFolder(tmp_path)
    for index, fps in enumerate((24, 30, 60)):
        clip = clips[index]
        assert clip.num_frames == 50
        expected = np.minimum(np.arange(50) / 25, (2 * fps - 1) / fps)
        np.testing.assert_allclose(clip.motion[:, 0], expected, atol=1e-6)
        np.testing.assert_allclose(clip.motion[:, 5], 0.1 * expected, atol=1e-6)
        assert len(clip.samples) == 50 * 640


def test_shape_validity_and_features_are_taken_from_the_file(tmp_path):
    write_motion(tmp_path / "a.npz", 60, 50)
    valid, features = np.ones(60, bool), np.arange(60)[:, None] + np.zeros(7)
    valid[[8, 9]] = False
    add_arrays(tmp_path / "a.npz", shape=np.arange(4.0), valid=valid, emotion_features=features)
    clip = MotionFolder(tmp_path)[0]
    assert np.flatnonzero(~clip.valid).tolist() == [4]
    np.testing.assert_array_equal(clip.emotion_features[:, 0], np.arange(0, 60, 2))
    np.testing.assert_array_equal(clip.shape, np.arange(4))
    assert {array.dtype for array in (clip.shape, clip.emotion_features, clip.motion)} == {np.dtype(np.float32)}


def test_intensity_and_speaker_may_be_left_out(tmp_path):
    write_motion(tmp_path / "a.npz", intensity="left out", speaker="left out")
    clips = MotionFolder(tmp_path)
    assert (clips[0].intensity, clips.speakers) == (1.0, ("default",))


def test_held_out_clips_have_the_training_speakers_columns(tmp_path):
    write_motion(tmp_path / "a.npz", speaker="broad")
    clips = MotionFolder(tmp_path, speakers=("even", "lively", "broad"))
    assert window_batch(clips, [0], 8, np.random.default_rng(0)).condition[0, 0, 11:].tolist() == [0, 0, 1]
    with pytest.raises(InputError, match="unknown speaker 'broad'; the training knows even, lively"):
        MotionFolder(tmp_path, speakers=("even", "lively"))


def test_sound_may_be_flac(tmp_path):
    write_motion(tmp_path / "a.npz")
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    soundfile.write(tmp_path / "a.flac", samples, 16000)
    (tmp_path / "a.wav").unlink()
    np.testing.assert_array_equal(MotionFolder(tmp_path)[0].samples, samples)


def test_batches_can_be_made_in_another_process(tmp_path):
    for number in range(3):
        write_motion(tmp_path / f"{number}.npz", 12 + 10 * number)
    batches = pickle.loads(pickle.dumps(ClipBatches(MotionFolder(tmp_path), WindowSettings(3, 16))))
    batch = batches[0]
    assert batch.motion.shape == (3, 16, 8)
    assert sorted(batch.valid.sum(1).tolist()) == [12, 16, 16]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"emotion": "left out"}, "meta has no emotion"),
        ({"emotion": "bored"}, "unknown emotion 'bored'"),
        ({"emotion": "mixed"}, "its emotion changes"),
        ({"intensity": None}, "its emotion changes"),
        ({"intensity": 3}, "intensity 3 is outside"),
        ({"intensity": "high"}, "intensity must be a number from 0 to 2, found 'high'"),
        ({"speaker": 7}, "speaker must be a name, found 7"),
        ({"num_expression": 6}, "b.npz has 6 expression coefficients, but .*a.npz has 5"),
        ({"face": "flame2020"}, "b.npz is for the head 'flame2020', but .*a.npz for 'open_head'"),
    ],
)
def test_motions_that_cannot_be_learnt_from_are_named(tmp_path, changes, sentence):
    write_motion(tmp_path / "a.npz")
    write_motion(tmp_path / "b.npz", **changes)
    with pytest.raises(InputError, match=sentence) as caught:
        MotionFolder(tmp_path)
    assert "b.npz" in str(caught.value)


def test_another_number_of_coefficients_than_wanted_is_refused(tmp_path):
    write_motion(tmp_path / "a.npz")
    with pytest.raises(InputError, match="a.npz has 5 expression coefficients, but 100 are wanted"):
        MotionFolder(tmp_path, num_expression=100)


@pytest.mark.parametrize(
    "damage, sentence",
    [
        (lambda folder: (folder / "b.wav").unlink(), "b.npz has no sound beside it; put b.wav"),
        (lambda folder: (folder / "b.npz").write_bytes(b"PK\3\4"), "b.npz is not a motion file or is damaged"),
        (lambda folder: (folder / "b.npz").write_bytes(b""), "b.npz is not a motion file or is damaged"),
        (lambda folder: np.savez(folder / "b.npz", numbers=np.zeros(3)), "b.npz has no 'expression'"),
        (lambda folder: add_arrays(folder / "b.npz", shape=np.zeros(4)), "b.npz holds shape beside its motion"),
    ],
)
def test_a_folder_with_a_bad_file_is_refused_when_it_is_opened(tmp_path, damage, sentence):
    for name in "ab":
        write_motion(tmp_path / f"{name}.npz")
    damage(tmp_path)
    with pytest.raises(InputError, match=sentence):
        MotionFolder(tmp_path)


@pytest.mark.parametrize(
    "arrays, sentence",
    [
        ({"shape": np.zeros((30, 4))}, r"shape must be \(S,\), found \(30, 4\)"),
        ({"valid": np.ones(29)}, r"valid must be \(30,\), found \(29,\)"),
        ({"emotion_features": np.zeros((29, 7))}, r"emotion_features must be \(30, D\), found \(29, 7\)"),
        ({"shape": np.array([np.nan])}, "shape holds values that are not numbers"),
        ({"shape": np.array(["a"])}, "shape"),
        ({"shape": np.array([Evil(exec, f"import os; os.environ['{CANARY}']=''")])}, "a.npz"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, arrays, sentence):
    write_motion(tmp_path / "a.npz")
    add_arrays(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=sentence):
        MotionFolder(tmp_path)[0]


@pytest.mark.parametrize("sound", [np.zeros(100), np.zeros(5 * 16000)])
def test_sound_of_another_take_is_refused(tmp_path, sound):
    write_motion(tmp_path / "a.npz")
    soundfile.write(tmp_path / "a.wav", sound, 16000)
    with pytest.raises(InputError, match=r"a.wav lasts .* s, but its motion 1.20 s"):
        MotionFolder(tmp_path)[0]


def test_an_empty_folder_and_none_are_one_clear_sentence(tmp_path):
    with pytest.raises(InputError, match="holds no motion files"):
        MotionFolder(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        MotionFolder(tmp_path / "nowhere")


def test_emote_can_be_trained_on_a_folder_and_every_third_clip_is_held_out(tmp_path):
    """What `[data] type = "motions"` opens."""
    from emote_blender.training.run.config import build_settings, load_run_config
    from emote_blender.training.tasks.emote.emote_data import open_data
    from emote_blender.training.tasks.emote.emote_settings import EMOTESettings

    for number in range(6):
        write_motion(tmp_path / f"{number}.npz", num_frames=20 + number)
    tables = {**load_run_config("emote_v1_stage1").tables}
    tables["data"] = {"type": "motions", "hold_out": 3, "batch_size": 2, "num_frames": 16}
    tables["model"] = {**tables["model"], "flint": {**tables["model"]["flint"], "num_expression": 5}}
    data = open_data(build_settings(EMOTESettings, tables, "test.toml"), tmp_path, seed=1)
    assert data.num_batches == 2  # four clips are trained on
    assert data.batch(0).motion.shape == (2, 16, 8)
    assert sum(len(batch.motion) for batch in data.validation()) == 2
    tables["data"]["hold_out"] = 6
    with pytest.raises(InputError, match="hold_out"):
        open_data(build_settings(EMOTESettings, tables, "test.toml"), tmp_path, seed=1)


def test_flint_can_be_trained_on_a_folder_without_reading_its_sound(tmp_path):
    from emote_blender.training.tasks.flint.flint_data import MotionsData, open_flint_data

    for number in range(6):
        write_motion(tmp_path / f"{number}.npz", num_frames=20 + number)
    for path in tmp_path.glob("*.wav"):
        path.write_bytes(b"no sound")
    data = open_flint_data(MotionsData(hold_out=3, batch_size=32, num_frames=16), tmp_path, 5, seed=1)
    assert data.num_batches == 1  # four clips are trained on
    assert data.batch(0)[0].shape == (4, 16, 8)
    assert [len(motion) for motion, _ in data.validation()] == [2]
    with pytest.raises(InputError, match="hold_out"):
        open_flint_data(MotionsData(hold_out=6), tmp_path, 5, seed=1)
