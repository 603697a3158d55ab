import io
import os
import zipfile
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from emote_blender.errors import InputError
from emote_blender.motion import FaceMotion


def make_motion(num_frames: int = 40, fps: float = 25.0) -> FaceMotion:
    generator = np.random.default_rng(0)
    return FaceMotion(
        generator.normal(size=(num_frames, 5)),
        0.2 * generator.normal(size=(num_frames, 3)),
        fps,
        eyes=0.2 * generator.normal(size=(num_frames, 6)),
        neck=0.2 * generator.normal(size=(num_frames, 3)),
        lids=generator.uniform(size=(num_frames, 2)),
        meta={"model": "emote_open", "audio": "Größe – 日本.wav", "expression_names": list("abcde"), "intensity": 1.5},
    )


def save_arrays(path, **changes):
    arrays: dict[str, Any] = {"expression": np.zeros((4, 5), np.float32), "jaw": np.zeros((4, 3), np.float32)}
    arrays |= {"fps": np.float64(25), **changes}
    np.savez(path, **{name: values for name, values in arrays.items() if values is not None})
    return path


def test_a_saved_motion_is_loaded_bit_for_bit(tmp_path):
    motion = make_motion()
    motion.save(tmp_path / "Ärger laut.npz")
    loaded = FaceMotion.load(tmp_path / "Ärger laut.npz")
    for name in ("expression", "jaw", "eyes", "neck", "lids"):
        assert getattr(loaded, name).dtype == np.float32
        assert np.array_equal(getattr(loaded, name), getattr(motion, name))
    assert (loaded.fps, loaded.meta) == (motion.fps, motion.meta)


def test_eyes_and_neck_may_be_missing(tmp_path):
    FaceMotion(np.zeros((2, 5)), np.zeros((2, 3)), 25).save(tmp_path / "line.npz")
    loaded = FaceMotion.load(tmp_path / "line.npz")
    assert loaded.eyes is None
    assert loaded.neck is None
    assert loaded.lids is None


def test_equal_motions_are_equal_files(tmp_path):
    make_motion().save(tmp_path / "a.npz")
    make_motion().save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_an_unwritable_place_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        make_motion().save(tmp_path / "missing" / "line.npz")


def test_duration_counts_every_frame():
    assert make_motion(40, 25.0).duration_seconds == pytest.approx(1.6)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30000 / 1001, 30.0, 60.0, 12.5])
def test_a_resampled_straight_movement_is_right_at_every_time(fps):
    ramp = np.arange(100)[:, None] / 25.0  # equals the time in seconds
    motion = FaceMotion(np.repeat(ramp, 2, axis=1), ramp * [0.1, 0.0, 0.0], 25.0).resampled(fps)
    times = np.minimum(np.arange(motion.num_frames) / fps, 99 / 25)
    assert motion.fps == fps
    assert motion.duration_seconds == pytest.approx(4.0, abs=0.5 / fps)
    assert np.allclose(motion.expression[:, 1], times, atol=1e-6)
    assert np.allclose(motion.jaw, times[:, None] * [0.1, 0.0, 0.0], atol=1e-6)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30000 / 1001, 60.0])
def test_a_motion_can_be_resampled_to_another_length(fps):
    motion = make_motion(40)
    shorter, longer = motion.resampled(fps, 1.57), motion.resampled(fps, 2.0)
    assert (shorter.num_frames, longer.num_frames) == (round(1.57 * fps), round(2.0 * fps))
    assert np.allclose(longer.expression[-1], motion.expression[-1], atol=1e-6)


def test_resampled_rotations_are_on_arcs():
    motion = make_motion()
    eyes = motion.resampled(60.0).eyes
    times = np.minimum(np.arange(len(eyes)) / 60.0, 39 / 25)
    for eye in (slice(0, 3), slice(3, 6)):
        arc = Slerp(np.arange(40) / 25, Rotation.from_rotvec(motion.eyes[:, eye]))
        assert (arc(times).inv() * Rotation.from_rotvec(eyes[:, eye])).magnitude().max() < 1e-5


def test_resampling_to_twice_the_rate_keeps_every_frame():
    motion = make_motion()
    assert np.allclose(motion.resampled(50.0).neck[::2], motion.neck, atol=1e-6)
    assert np.allclose(motion.resampled(50.0).expression[::2], motion.expression, atol=1e-6)
    assert np.allclose(motion.resampled(50.0).lids[::2], motion.lids, atol=1e-6)


def test_one_frame_can_be_resampled():
    assert make_motion(1).resampled(60.0).num_frames == 2


def test_a_slice_begins_and_ends_at_its_times():
    part = make_motion().slice(0.4, 0.8)
    assert np.array_equal(part.expression, make_motion().expression[10:20])
    assert np.array_equal(part.eyes, make_motion().eyes[10:20])
    assert np.array_equal(part.lids, make_motion().lids[10:20])


def test_a_slice_past_the_end_is_refused():
    with pytest.raises(ValueError, match="no frame"):
        make_motion().slice(5.0, 6.0)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"jaw": None}, "has no 'jaw'"),
        ({"fps": None}, "has no 'fps'"),
        ({"fps": np.array([25.0, 30.0])}, "fps must be one number"),
        ({"fps": np.float64(0)}, "fps must be above zero"),
        ({"fps": np.float64(np.nan)}, "fps holds values that are not numbers"),
        ({"jaw": np.zeros((5, 3))}, r"jaw must be \(4, 3\), found \(5, 3\)"),
        ({"eyes": np.zeros((4, 3))}, r"eyes must be \(4, 6\)"),
        ({"expression": np.zeros((0, 5)), "jaw": np.zeros((0, 3))}, "expression must be"),
        ({"expression": np.full((4, 5), np.nan)}, "expression holds values that are not numbers"),
        ({"expression": np.array([["a"] * 5] * 4)}, "expression holds <U1, not numbers"),
        ({"meta": np.array("[1, 2]")}, "meta is not a JSON object"),
        ({"meta": np.array("{")}, "is not a motion file or is damaged"),
    ],
)
def test_a_wrong_file_is_said(tmp_path, change, sentence):
    path = save_arrays(tmp_path / "bad.npz", **change)
    with pytest.raises(InputError, match=sentence) as caught:
        FaceMotion.load(path)
    assert str(path) in str(caught.value)


def test_a_pickle_in_a_motion_file_is_not_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = save_arrays(tmp_path / "trap.npz", jaw=np.array([Trap()], dtype=object))
    with pytest.raises(InputError, match="jaw holds object"):
        FaceMotion.load(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("shape", [(10**12, 3), (10**30, 3), (2**63, 2**63)])
def test_an_announced_size_that_the_file_does_not_hold_is_refused(tmp_path, shape):
    path = save_arrays(tmp_path / "bomb.npz", jaw=None)
    entry = io.BytesIO()
    np.lib.format.write_array_header_1_0(entry, {"shape": shape, "fortran_order": False, "descr": "<f4"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("jaw.npy", entry.getvalue())
    with pytest.raises(InputError, match="jaw announces"):
        FaceMotion.load(path)


def test_a_zip_that_grows_beyond_the_limit_is_refused_unread(tmp_path):
    path = save_arrays(tmp_path / "bomb.npz", jaw=None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("jaw.npy", bytes(1000))
        archive.getinfo("jaw.npy").file_size = 3 << 30  # what the directory says; to write it would take the test long
    with pytest.raises(InputError, match="more than 2 GB"):
        FaceMotion.load(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"RIFF....WAVE", bytes(range(256)) * 10])
def test_another_kind_of_file_is_said(tmp_path, content):
    (tmp_path / "other.npz").write_bytes(content)
    with pytest.raises(InputError, match="is not a motion file or is damaged"):
        FaceMotion.load(tmp_path / "other.npz")


def test_a_truncated_file_is_said(tmp_path):
    path = tmp_path / "cut.npz"
    make_motion().save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            FaceMotion.load(path)


def test_changed_bytes_are_noticed_or_harmless(tmp_path):
    path = tmp_path / "changed.npz"
    make_motion().save(path)
    whole = bytearray(path.read_bytes())
    generator = np.random.default_rng(0)
    for _ in range(300):
        changed = whole.copy()
        for position in generator.integers(0, len(whole), 3):
            changed[position] = generator.integers(0, 256)
        path.write_bytes(changed)
        try:
            motion = FaceMotion.load(path)
        except InputError:
            continue
        assert motion.num_frames == 40


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match=r"no\.npz not found"):
        FaceMotion.load(tmp_path / "no.npz")


@pytest.mark.parametrize(
    "expression, jaw, fps", [((0, 5), (0, 3), 25), ((4,), (4, 3), 25), ((4, 5), (3, 3), 25), ((4, 5), (4, 3), 0)]
)
def test_a_motion_made_wrongly_by_code_is_a_value_error(expression, jaw, fps):
    with pytest.raises(ValueError):
        FaceMotion(np.zeros(expression), np.zeros(jaw), fps)


@pytest.mark.parametrize("stated", [1e12, -1, float("nan"), "long", None, [1]])
def test_a_length_of_sound_that_the_motion_cannot_have_does_not_count(stated):
    motion = FaceMotion(np.zeros((50, 2)), np.zeros((50, 3)), 25, meta={"sound_seconds": stated})
    assert motion.sound_seconds == 2.0
