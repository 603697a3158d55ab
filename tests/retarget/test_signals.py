"""Named signals of a motion of the open basis, and back."""

import numpy as np
import pytest

from emote_blender.errors import InputError
from emote_blender.flame.measure import lip_gap
from emote_blender.flame.model import FaceModel
from emote_blender.motion import FaceMotion
from emote_blender.retarget.signals import ARKIT_NAMES, HEAD_NAMES, motion_of, signals_of

HEAD = "models/open_head"


def some_signals(num_frames=40, seed=1):
    random = np.random.default_rng(seed)
    signals = {name: random.uniform(0, 1, num_frames).astype(np.float32) for name in ARKIT_NAMES}
    signals["jawLeft"][::2] = 0
    signals["jawRight"][1::2] = 0
    return signals | {name: random.uniform(-0.5, 0.5, num_frames).astype(np.float32) for name in HEAD_NAMES}


def test_there_are_52_signals_of_arkit():
    assert len(set(ARKIT_NAMES)) == len(ARKIT_NAMES) == 52


def test_signals_come_back_from_their_motion_within_the_last_bit_of_float32():
    signals = some_signals()
    back = signals_of(motion_of(signals, 60))
    assert set(back) == set(signals)
    for name, values in signals.items():
        np.testing.assert_allclose(back[name], values, rtol=2**-22, atol=0, err_msg=name)


def test_a_motion_comes_back_from_its_signals():
    random = np.random.default_rng(2)
    names = [*(name for name in ARKIT_NAMES if not name.startswith("jaw") or name == "jawForward"), "tongueUp"]
    motion = FaceMotion(
        random.uniform(0, 1, (9, len(names))),
        random.uniform(-0.1, 0.3, (9, 3)) * (1, 1, 0),
        30,
        neck=random.uniform(-0.3, 0.3, (9, 3)),
        meta={"expression_names": names},
    )
    back = motion_of(signals_of(motion), 30)
    order = [back.meta["expression_names"].index(name) for name in names]
    np.testing.assert_allclose(back.expression[:, order], motion.expression, atol=1e-6)
    np.testing.assert_allclose(back.jaw, motion.jaw, atol=1e-7)
    np.testing.assert_allclose(np.asarray(back.neck), np.asarray(motion.neck), atol=1e-7)


def test_a_motion_of_signals_fits_the_open_head():
    motion = motion_of(some_signals(), 60)
    assert set(motion.meta["expression_names"]) <= set(FaceModel.load(HEAD).expression_names or ())


def test_jaw_open_rotates_the_jaw_and_is_no_component():
    motion = motion_of({"jawOpen": np.array([0, 0.5, 1], np.float32)}, 60)
    np.testing.assert_allclose(motion.jaw, [[0.0, 0.0, 0.0], [0.2, 0.0, 0.0], [0.4, 0.0, 0.0]], atol=1e-7)
    assert "jawOpen" not in motion.meta["expression_names"]


def test_jaw_left_turns_the_jaw_to_the_left_and_jaw_right_to_the_right():
    left = motion_of({"jawLeft": np.ones(1, np.float32)}, 60).jaw[0, 1]
    right = motion_of({"jawRight": np.ones(1, np.float32)}, 60).jaw[0, 1]
    assert left == pytest.approx(0.12)
    assert right == pytest.approx(-0.12)


@pytest.mark.parametrize("opening", [0.2, 0.6, 1.0])
def test_arkits_mouth_close_closes_the_lips_of_a_jaw_that_is_as_far_open(opening):
    head = FaceModel.load(HEAD)

    def gap_mm(**signals):
        motion = motion_of({name: np.array([value]) for name, value in signals.items()}, 60)
        expression = np.zeros((1, head.num_expression))
        for name, value in zip(motion.meta["expression_names"], motion.expression[0], strict=True):
            expression[0, head.expression_names.index(name)] = value
        return 1000 * lip_gap(head, head.vertices(expression, motion.jaw))[0]

    assert gap_mm(jawOpen=opening) > 25 * opening
    assert abs(gap_mm(jawOpen=opening, mouthClose=opening)) < 1


def test_a_neck_that_never_turns_is_left_out():
    assert motion_of({"jawOpen": np.zeros(3)}, 60).neck is None
    assert motion_of({"headYaw": np.array([0, 0.1, 0])}, 60).neck is not None


def test_further_names_stay_components():
    motion = motion_of({"tongueUp": np.array([0.25, 0.5])}, 60)
    assert motion.meta["expression_names"][-1] == "tongueUp"
    np.testing.assert_array_equal(signals_of(motion)["tongueUp"], np.array([0.25, 0.5], np.float32))


def test_eyes_that_rotate_are_added_to_eye_look():
    eyes = np.zeros((1, 6))
    eyes[0, 1] = eyes[0, 4] = 0.245  # both to the character's left
    signals = signals_of(motion_of({"jawOpen": np.zeros(1)}, 60, eyes=eyes))
    assert signals["eyeLookOutLeft"][0] == pytest.approx(0.5) == signals["eyeLookInRight"][0]
    assert signals["eyeLookInLeft"][0] == signals["eyeLookOutRight"][0] == 0


def test_components_without_names_are_refused():
    with pytest.raises(InputError, match="have no names"):
        signals_of(FaceMotion(np.zeros((1, 100)), np.zeros((1, 3)), 25))
