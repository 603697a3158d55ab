"""A character's lips do what the open head's do, whatever its shapes at 1 look like."""

import numpy as np
import pytest
from character_lips import FPS, IN_SPEECH, MIDDLE, arkit_rows, array_character, closed, lip_gaps, source_points, spoken
from character_shapes import arkit_shapes, open_head_model

from emote_blender.motion import FaceMotion
from emote_blender.retarget.lips import open_lips
from emote_blender.retarget.mapping import MappingRow
from emote_blender.retarget.signals import OPEN_NAMES

pytestmark = pytest.mark.once  # on 5.2, test_character_lips calibrates characters


def arkit(jaw: str = "key", **factors: float) -> tuple:
    """Shapes and rows of an ARKit character with some shapes scaled; 0 leaves a shape out."""
    shapes = {name: shape * factors.get(name, 1.0) for name, shape in arkit_shapes(jaw == "key").items()}
    shapes = {name: shape for name, shape in shapes.items() if factors.get(name) != 0.0}
    return shapes, arkit_rows(shapes)


CHARACTERS = {
    "key": ("key", {}),
    "bone": ("bone", {}),
    "closes_too_little": ("key", {"mouthClose": 0.5}),
    "closes_too_much": ("key", {"mouthClose": 2.0}),
    "opens_twice_as_far": ("key", {"jawOpen": 2.0}),
    "opens_half_as_far": ("key", {"jawOpen": 0.4}),
    "nothing_closes": ("key", {"mouthClose": 0.0}),
    "nothing_closes_a_bone": ("bone", {"mouthClose": 0.0}),
    "smiles_part_the_lips": ("key", {"mouthUpperUpLeft": 2.0, "mouthUpperUpRight": 2.0, "mouthFunnel": 2.0}),
}


@pytest.mark.parametrize("emotion", ["neutral", "happy", "anger"])
@pytest.mark.parametrize("kind", CHARACTERS)
def test_lips_close_and_open_like_the_open_heads(kind, emotion):
    jaw, factors = CHARACTERS[kind]
    shapes, rows = arkit(jaw, **factors)
    motion = spoken(emotion)
    gaps = lip_gaps(array_character(shapes, rows, jaw == "bone").points(motion))
    wanted = lip_gaps(source_points(motion))
    shut = closed(motion)
    assert shut.sum() > 15
    assert gaps[shut, MIDDLE].max() <= 0.5
    assert (gaps[wanted <= 0.5] <= 1.0)[np.repeat(shut[:, None], 9, 1)[wanted <= 0.5]].all()
    middle, aim = gaps[:, MIDDLE].clip(0), wanted[:, MIDDLE].clip(0)
    assert np.corrcoef(middle, aim)[0, 1] > 0.95
    assert np.percentile(middle, 95) == pytest.approx(np.percentile(aim, 95), rel=0.3)


def test_closed_lips_do_not_press_through_each_other():
    """mouthClose at its value closes twice as much as the jaw opens; f and v put the lower lip behind the upper one."""
    shapes, rows = arkit(mouthClose=2.0)
    motion = spoken()
    shut = closed(motion) & (motion.expression[:, spoken().meta["expression_names"].index("mouthRollLower")] < 0.25)
    calibrated, plain = (
        lip_gaps(array_character(shapes, rows, calibrated=on).points(motion))[shut, MIDDLE] for on in (True, False)
    )
    assert plain.min() < -2.0
    assert calibrated.min() > -1.0


def test_without_calibration_these_characters_fail():
    """The characters above are wrong indeed."""
    for kind in ("closes_too_little", "opens_twice_as_far", "nothing_closes"):
        jaw, factors = CHARACTERS[kind]
        shapes, rows = arkit(jaw, **factors)
        motion = spoken("anger")
        gaps = lip_gaps(array_character(shapes, rows, calibrated=False).points(motion))
        assert gaps[closed(motion), MIDDLE].max() > 0.9  # calibrated: at most 0.5


@pytest.mark.parametrize("factor", [0.4, 0.5, 2.0, 2.5])
def test_the_factor_of_the_jaw_undoes_the_shapes_scale(factor):
    plain = array_character(*arkit()).target.calibration.factors.get("jawOpen", 1.0)
    scaled = array_character(*arkit(jawOpen=factor)).target.calibration.factors["jawOpen"]
    assert scaled == pytest.approx(plain / factor, rel=0.06)


def test_a_small_mouth_opens_less():
    """A drawn face: its mouth is half as wide, measured by the distance of its eyes."""
    shapes, rows = arkit()
    centre = np.array([0.0, -0.045, 0.08])
    near = np.exp(-(((open_head_model().v_template - centre) / 0.05) ** 2).sum(1))[:, None]
    half = 1.0 - 0.5 * near * np.array([1.0, 0.0, 0.0])
    rest = centre + (open_head_model().v_template - centre) * half
    lips = array_character(shapes, rows, rest=rest).target.calibration
    assert lips.lips.width < 0.65 * open_lips().width
    assert 0.6 < lips.factors["jawOpen"] / array_character(shapes, rows).target.calibration.factors["jawOpen"] < 0.85


def test_the_users_strength_stays_a_strength():
    shapes, rows = arkit()
    stronger = [MappingRow(r.source, r.target, strength=1.5 if r.source == "jawOpen" else 1.0) for r in rows]
    factors = [array_character(shapes, each).target.calibration.factors for each in (rows, stronger)]
    assert factors[0]["jawOpen"] == factors[1]["jawOpen"]


def test_a_row_in_percent_is_calibrated_like_any_other():
    shapes, rows = arkit(jawOpen=2.0)
    percent = [MappingRow(row.source, row.target, strength=100.0, high=100.0) for row in rows]
    small = {name: shape / 100.0 for name, shape in shapes.items()}
    motion = spoken()
    one, other = (
        lip_gaps(array_character(shape, row).points(motion)) for shape, row in ((shapes, rows), (small, percent))
    )
    assert np.abs(one - other).max() < 0.05


def test_corners_that_go_much_further_are_held_back():
    plain = array_character(*arkit()).target.calibration.factors
    wide = array_character(*arkit(mouthSmileLeft=2.5, mouthSmileRight=1.1)).target.calibration.factors
    assert "mouthSmileLeft" not in plain
    assert wide["mouthSmileLeft"] == pytest.approx(0.5, abs=0.08)
    assert "mouthSmileRight" not in wide


def test_values_stay_within_their_rows():
    shapes, rows = arkit(mouthClose=0.3, jawOpen=0.7)
    rows = [MappingRow(r.source, r.target, high=0.1 if r.source == "mouthClose" else 1.0) for r in rows]
    keys = array_character(shapes, rows).keys(spoken("anger"))
    assert keys["mouthClose"].max() == pytest.approx(0.1)
    assert min(values.min() for values in keys.values()) >= 0.0
    assert max(values.max() for values in keys.values()) <= 1.0 + 1e-6


def test_only_frames_with_closed_lips_are_changed():
    """Apart from the factors, an open mouth is left to the table."""
    shapes, rows = arkit()
    character = array_character(shapes, rows)
    motion = spoken()
    far = lip_gaps(source_points(motion))[:, MIDDLE] > 6.0
    plain = array_character(shapes, rows, calibrated=False).keys(motion)
    for name, values in character.keys(motion).items():
        factor = character.target.calibration.factors.get(name, 1.0)
        assert values[far] == pytest.approx(np.clip(factor * plain[name][far], 0, 1), abs=1e-5), name


def test_the_face_stays_still_in_silence():
    shapes, rows = arkit(mouthClose=0.5)
    still = FaceMotion(np.zeros((20, 50)), np.zeros((20, 3)), FPS, meta={"expression_names": list(OPEN_NAMES)})
    assert max(np.abs(values).max() for values in array_character(shapes, rows).keys(still).values()) == 0.0


def test_a_mouth_that_is_open_at_rest_closes_in_speech_only():
    shapes, rows = arkit()
    rest = source_points(FaceMotion(np.zeros((1, 50)), np.array([[0.03, 0.0, 0.0]]), FPS))[0]
    character = array_character(shapes, rows, rest=rest)
    motion = spoken()
    assert lip_gaps(rest[None])[0, MIDDLE] > 1.5
    assert lip_gaps(character.points(motion))[IN_SPEECH, MIDDLE][closed(motion)[IN_SPEECH]].max() <= 1.0
    still = FaceMotion(np.zeros((20, 50)), np.zeros((20, 3)), FPS, meta=motion.meta)
    assert np.abs(lip_gaps(character.points(still)) - lip_gaps(rest[None])).max() < 0.01


def test_closing_does_not_shake():
    """The character's gap changes from frame to frame no faster than the open head's."""
    motion = spoken("happy").resampled(60.0)
    shapes, rows = arkit(mouthClose=0.5)
    gap = lip_gaps(array_character(shapes, rows).points(motion))[:, MIDDLE].clip(0)
    wanted = lip_gaps(source_points(motion))[:, MIDDLE].clip(0)
    assert np.abs(np.diff(gap, 2)).max() < 1.5 * np.abs(np.diff(wanted, 2)).max()
