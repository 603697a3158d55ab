"""Visemes and vowels fitted on the shape of the mouth."""

import numpy as np
import pytest
from character_lips import (
    IN_SPEECH,
    MIDDLE,
    VRM_VOWELS,
    array_character,
    closed,
    lip_gaps,
    mouth_size,
    source_points,
    spoken,
)
from character_shapes import OCULUS_POSES, posed

from emote_blender.motion import FaceMotion
from emote_blender.retarget.mapping import FaceMapping, MappingRow
from emote_blender.retarget.target import Target, put_on
from emote_blender.retarget.visemes import viseme_poses

pytestmark = pytest.mark.once  # on 5.2, test_character_lips fits visemes

VISEMES = tuple(f"viseme_{name}" for name in OCULUS_POSES)


def vowels(scale: float = 1.0):
    """Shapes and rows of a character with five vowels only."""
    shapes = {key: scale * posed(OCULUS_POSES[source[7:]]) for key, source in VRM_VOWELS.items()}
    return shapes, [MappingRow(source, key) for key, source in VRM_VOWELS.items()]


def oculus():
    """Shapes and rows of a character with 15 visemes."""
    shapes = {f"viseme_{name}": posed(pose) for name, pose in OCULUS_POSES.items()}
    return shapes, [MappingRow(name, name) for name in VISEMES]


KINDS = {"vowels": vowels, "visemes": oculus, "small_vowels": lambda: vowels(0.4)}


@pytest.mark.parametrize("emotion", ["neutral", "happy", "anger"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_mouth_opens_and_closes_like_the_open_heads(kind, emotion):
    motion = spoken(emotion)
    gaps = lip_gaps(array_character(*KINDS[kind]()).points(motion))[:, MIDDLE]
    wanted = lip_gaps(source_points(motion))[:, MIDDLE]
    assert gaps[closed(motion)].max() <= 0.5
    assert np.corrcoef(gaps.clip(0), wanted.clip(0))[0, 1] > 0.95


@pytest.mark.parametrize("kind", ["vowels", "visemes"])
def test_the_mouth_rounds_and_spreads_like_the_open_heads(kind):
    motion = spoken()
    widths, forwards = zip(
        *(mouth_size(points) for points in (array_character(*KINDS[kind]()).points(motion), source_points(motion))),
        strict=True,
    )
    speaks = ~closed(motion)
    assert np.corrcoef(widths[0][speaks], widths[1][speaks])[0, 1] > 0.9
    assert np.corrcoef(forwards[0][speaks], forwards[1][speaks])[0, 1] > 0.9


def test_one_or_two_visemes_dominate():
    keys = array_character(*oculus()).keys(spoken())
    weights = np.sort(np.stack([values for name, values in keys.items() if name != "viseme_sil"]), axis=0)[::-1]
    open_frames = weights.sum(0) > 0.3
    assert (weights[:2].sum(0) / weights.sum(0).clip(1e-6))[open_frames].mean() > 0.75
    assert ((weights > 0.05).sum(0) <= 5).all()


@pytest.mark.parametrize("signal", [name for name in VISEMES if name not in ("viseme_sil", "viseme_PP")])
def test_a_canonical_viseme_is_made_of_itself_on_a_head_without_a_measure(signal):
    """Of visemes that differ by the tongue alone, any may serve."""
    names = spoken().meta["expression_names"]
    expression, jaw = np.zeros((12, len(names)), np.float32), np.zeros((12, 3), np.float32)
    for name, weight in viseme_poses()[signal].items():
        if name == "jaw":
            jaw[:, 0] = weight
        for side in ("", "Left", "Right"):
            if name + side in names:
                expression[:, names.index(name + side)] = weight
    motion = FaceMotion(expression, jaw, 25.0, meta={"expression_names": names})
    mapping = FaceMapping(tuple(MappingRow(name, name) for name in VISEMES))
    found = {name: float(values[6]) for (name, _), values in put_on(Target(mapping), motion).values.items()}
    alike = [{"viseme_TH", "viseme_DD", "viseme_kk", "viseme_nn", "viseme_SS"}]
    group = next((names for names in alike if signal in names), {signal})
    assert sum(found[name] for name in group) > 0.6


def test_a_key_of_closed_lips_closes_a_mouth_that_is_open_at_rest():
    """Preston Blair's sets have a drawing of closed lips."""
    open_by = posed({"jaw": 0.08}).astype(np.float64)
    rest = source_points(FaceMotion(np.zeros((1, 50)), np.zeros((1, 3)), 25.0))[0] + open_by
    poses = {"AI": "aa", "E": "E", "O": "oh", "U": "ou", "FV": "FF"}
    shapes = {key: posed(OCULUS_POSES[name]) - open_by for key, name in poses.items()} | {"MBP": -open_by}
    rows = [MappingRow(f"viseme_{name}", key) for key, name in poses.items()] + [MappingRow("viseme_PP", "MBP")]
    character = array_character(shapes, rows, rest=rest)
    motion = spoken()
    gaps = lip_gaps(character.points(motion))[:, MIDDLE]
    wanted = lip_gaps(source_points(motion))[:, MIDDLE]
    assert gaps[IN_SPEECH][closed(motion)[IN_SPEECH]].max() <= 1.0
    assert np.corrcoef(gaps[IN_SPEECH].clip(0), wanted[IN_SPEECH].clip(0))[0, 1] > 0.9
    still = FaceMotion(np.zeros((8, 50)), np.zeros((8, 3)), 25.0, meta=motion.meta)
    assert max(values.max() for values in character.keys(still).values()) < 1e-3


def test_a_jaw_that_opens_beside_the_visemes_does_not_open_twice():
    shapes, rows = oculus()
    motion = spoken()
    gaps = lip_gaps(array_character(shapes, rows, jaw_is_bone=True).points(motion))[:, MIDDLE]
    wanted = lip_gaps(source_points(motion))[:, MIDDLE]
    assert np.percentile(gaps, 95) < 1.2 * np.percentile(wanted, 95)
    assert gaps[closed(motion)].max() <= 0.5


@pytest.mark.parametrize("calibrated", [True, False])
def test_p_b_and_m_are_pressed(calibrated):
    motion = spoken()
    pressed = array_character(*oculus(), calibrated=calibrated).keys(motion)["viseme_PP"][IN_SPEECH]
    gap = lip_gaps(source_points(motion))[IN_SPEECH, MIDDLE]
    tucked = motion.expression[IN_SPEECH, motion.meta["expression_names"].index("mouthRollLower")] > 0.25
    assert np.median(pressed[(gap < -1.2) & ~tucked]) > 0.5
    assert pressed[gap > 3.0].max() < 0.1


def test_nothing_moves_in_silence():
    motion = FaceMotion(np.zeros((8, 50)), np.zeros((8, 3)), 25.0, meta=spoken().meta)
    assert max(np.abs(values).max() for values in array_character(*oculus()).keys(motion).values()) < 1e-3


def test_a_table_without_visemes_gets_no_signals_of_them():
    mapping = FaceMapping((MappingRow("mouthSmileLeft", "smile"),))
    assert set(put_on(Target(mapping), spoken()).values) == {("smile", "KEY")}


def test_a_change_of_the_frame_rate_changes_little():
    motion = spoken()
    slow, fast = (array_character(*oculus()).keys(each) for each in (motion, motion.resampled(50.0)))
    difference = [np.abs(slow[name] - fast[name][::2][: motion.num_frames]).mean() for name in slow]
    assert max(difference) < 0.05
