"""Refinement of a take: its formulas against slower ones, what it leaves alone, and the lips measured on the mesh."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emote_blender.flame.measure import LIPS_CLOSED_GAP, lip_gap, midline_vertices
from emote_blender.flame.refinement_maps import maps_of_model
from emote_blender.motion import FaceMotion
from emote_blender.motion_tools.raw_take import RawTake
from emote_blender.motion_tools.refine import (
    OPEN_MM,
    RANGES,
    Refinement,
    RefinementMaps,
    refine,
    smooth,
)

T, E = 75, 6
DIAGONAL = RefinementMaps(np.array([1, 1, 0.5, 0, 0, 0], np.float32), np.array([1, -1, 0, 1, -1, 0], np.float32))
CHANGED = {
    "emotion_strength": 0.4,
    "upper_strength": 1.5,
    "lower_strength": 0.5,
    "jaw_strength": 1.7,
    "upper_smoothing": 0.2,
    "lower_smoothing": 0.1,
    "prediction_delay": 0.13,
    "asymmetry": -0.6,
}


@pytest.fixture(scope="module")
def raw() -> RawTake:
    random = np.random.default_rng(4)

    def motion() -> FaceMotion:
        jaw = np.cumsum(random.normal(0, 0.03, (T, 3)), 0) + [0.2, 0, 0]
        return FaceMotion(np.cumsum(random.normal(0, 0.1, (T, E)), 0), jaw, 25.0, neck=jaw * 0.5, meta={"model": "m"})

    return RawTake(motion(), motion())


def refined(raw: RawTake, face: RefinementMaps = DIAGONAL, **parameters: Any) -> FaceMotion:
    return refine(raw, Refinement(**parameters), face)


@pytest.mark.parametrize("keyed", [False, True])
def test_the_defaults_give_the_generated_motion_bit_for_bit(raw, keyed):
    default = Refinement()
    values = {name: getattr(default, name) for name in RANGES}
    defaults = replace(default, **{name: np.full(T, value) if keyed else value for name, value in values.items()})
    result = refine(raw, defaults, DIAGONAL)
    np.testing.assert_array_equal(result.expression, raw.emotional.expression)
    np.testing.assert_array_equal(result.jaw, raw.emotional.jaw)
    np.testing.assert_array_equal(result.neck, raw.emotional.neck)


@pytest.mark.parametrize("name", CHANGED)
def test_a_slider_keyed_to_one_value_does_what_the_number_does(raw, name):
    number = refined(raw, DIAGONAL, **{name: CHANGED[name]})
    keyed = refined(raw, DIAGONAL, **{name: np.full(T, CHANGED[name])})
    before = raw.emotional
    assert max(np.abs(number.expression - before.expression).max(), np.abs(number.jaw - before.jaw).max()) > 1e-3
    np.testing.assert_allclose(keyed.expression, number.expression, atol=1e-6)
    np.testing.assert_allclose(keyed.jaw, number.jaw, atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.3, 2.0])
def test_emotion_strength_moves_from_neutral_through_emotional(raw, strength):
    result, neutral, emotional = refined(raw, emotion_strength=strength), raw.neutral, raw.emotional
    expected = neutral.expression + strength * (emotional.expression - neutral.expression)
    np.testing.assert_allclose(result.expression, expected, atol=1e-6)
    start, end = Rotation.from_rotvec(neutral.jaw), Rotation.from_rotvec(emotional.jaw)
    turned = start * Rotation.from_rotvec(strength * (start.inv() * end).as_rotvec())
    np.testing.assert_allclose(result.jaw, turned.as_rotvec(), atol=1e-6)


def test_emotion_strength_does_nothing_without_a_neutral_rendering(raw):
    result = refined(RawTake(raw.emotional), emotion_strength=0.2)
    np.testing.assert_array_equal(result.expression, raw.emotional.expression)


def test_strengths_scale_each_region_by_its_own_factor(raw):
    result = refined(raw, upper_strength=0.5, lower_strength=1.6, jaw_strength=0.5)
    factors = [0.5, 0.5, (0.5 + 1.6) / 2, 1.6, 1.6, 1.6]
    np.testing.assert_allclose(result.expression, raw.emotional.expression * factors, rtol=1e-5)
    angle = np.linalg.norm(result.jaw, axis=1) / np.linalg.norm(raw.emotional.jaw, axis=1)
    np.testing.assert_allclose(angle, 1.6 * 0.5, rtol=1e-5)


def test_strengths_are_linear_in_the_motion(raw):
    double = replace(raw.emotional, expression=2 * raw.emotional.expression)
    once, twice = (
        refined(RawTake(motion), upper_strength=0.3, asymmetry=0.5).expression for motion in (raw.emotional, double)
    )
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)


def test_a_full_map_mixes_the_components(raw):
    mapping = np.random.default_rng(0).normal(size=(E, E)).astype(np.float32)
    face = RefinementMaps(mapping, mapping)
    result = refined(raw, face, upper_strength=0.0)
    expected = [frame - mapping @ frame for frame in raw.emotional.expression]
    np.testing.assert_allclose(result.expression, expected, atol=1e-5)


def test_asymmetry_of_one_moves_the_left_three_times_as_far_as_the_right(raw):
    ratio = refined(raw, asymmetry=1.0).expression / raw.emotional.expression
    np.testing.assert_allclose(ratio, np.tile([1.5, 0.5, 1, 1.5, 0.5, 1], (T, 1)), rtol=1e-5)


def slow_smooth(values: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Frame by frame: a Gaussian over values continued point-symmetrically."""
    result = np.empty_like(values)
    for t, width in enumerate(widths):
        sigma = width / 2.354820045
        total = weights = 0.0
        for k in range(-15, 16):
            index, last = t + k, len(values) - 1
            if index < 0:
                value = 2 * values[0] - values[-index]
            elif index > last:
                value = 2 * values[last] - values[2 * last - index]
            else:
                value = values[index]
            weight = np.exp(-0.5 * (k / sigma) ** 2) if sigma else float(k == 0)
            total, weights = total + weight * value, weights + weight
        result[t] = total / weights
    return result


@pytest.mark.parametrize("widths", [np.full(T, 5.0), np.linspace(0, 7, T)])
def test_smoothing_agrees_with_a_loop_over_the_frames(raw, widths):
    values = raw.emotional.expression.astype(np.float64)
    parameter = widths if np.ptp(widths) else widths[0]
    # The kernel is cut off at 3.5 standard deviations: 5e-4 of its area.
    np.testing.assert_allclose(smooth(values, parameter), slow_smooth(values, widths), atol=2e-3)


def test_smoothing_delays_nothing(raw):
    values = raw.emotional.expression
    np.testing.assert_allclose(smooth(values[::-1].copy(), 6.0)[::-1], smooth(values, 6.0), atol=1e-6)


def test_smoothing_leaves_the_ends_and_straight_lines_as_they_are(raw):
    values = raw.emotional.expression
    np.testing.assert_allclose(smooth(values, 9.0)[[0, -1]], values[[0, -1]], atol=1e-6)
    line = np.linspace(-1, 2, T)[:, None]
    np.testing.assert_allclose(smooth(line, 9.0), line, atol=1e-12)


@pytest.mark.parametrize("num_frames", [1, 2, 5])
def test_a_take_shorter_than_the_kernel_is_smoothed(raw, num_frames):
    short = RawTake(raw.emotional.slice(0, num_frames / 25))
    result = refined(short, upper_smoothing=0.5, lower_smoothing=0.5)
    assert result.num_frames == num_frames
    np.testing.assert_allclose(result.expression[[0, -1]], short.emotional.expression[[0, -1]], atol=1e-5)


def test_smoothing_keeps_to_its_region(raw):
    result, before = refined(raw, upper_smoothing=0.3), raw.emotional
    np.testing.assert_array_equal(result.expression[:, 3:], before.expression[:, 3:])
    np.testing.assert_array_equal(result.jaw, before.jaw)
    np.testing.assert_allclose(result.expression[:, :2], smooth(before.expression[:, :2], 7.5), atol=1e-6)


def test_a_jaw_that_is_smoothed_stays_a_rotation_about_its_axis(raw):
    angle = 0.3 + 0.2 * np.sin(np.arange(T))
    axis = np.array([0.8, 0.6, 0.0])
    result = refined(RawTake(FaceMotion(np.zeros((T, E)), angle[:, None] * axis, 25.0)), lower_smoothing=0.2)
    np.testing.assert_allclose(np.cross(result.jaw, axis), 0, atol=1e-6)
    # Quaternions are averaged, not angles: they differ by the third power of the angles' spread.
    np.testing.assert_allclose(result.jaw @ axis, smooth(angle[:, None], 5.0)[:, 0], atol=1e-3)


@pytest.mark.parametrize("frames", [3, -4])
def test_a_delay_of_whole_frames_moves_the_motion_and_holds_its_ends(raw, frames):
    result = refined(raw, prediction_delay=frames / 25)
    source = np.clip(np.arange(T) - frames, 0, T - 1)
    np.testing.assert_allclose(result.expression, raw.emotional.expression[source], atol=1e-5)
    np.testing.assert_allclose(result.jaw, raw.emotional.jaw[source], atol=1e-5)
    np.testing.assert_allclose(result.neck, raw.emotional.neck[source], atol=1e-5)


def test_a_delay_of_half_a_frame_lies_between_the_frames(raw):
    result, before = refined(raw, prediction_delay=0.02), raw.emotional.expression
    np.testing.assert_allclose(result.expression[1:], (before[1:] + before[:-1]) / 2, atol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, np.zeros(T + 1), np.zeros((T, 1))])
def test_a_parameter_that_is_no_number_per_frame_is_refused(raw, value):
    with pytest.raises(ValueError, match="upper_strength"):
        refined(raw, upper_strength=value)


def test_a_neutral_rendering_of_another_length_is_refused(raw):
    with pytest.raises(ValueError, match="neutral"):
        refined(RawTake(raw.emotional, raw.neutral.slice(0, 1)), emotion_strength=0.5)


def test_every_parameter_has_a_range_around_its_default():
    assert list(RANGES) == [field.name for field in fields(Refinement)]
    for name, (low, high) in RANGES.items():
        assert low <= getattr(Refinement(), name) < high


# The lips, on the open head with its named components, and with the same space in a rotated basis without names, as
# FLAME's principal components are: closures at 1 s and 2 s in an open mouth, the lower lip at the upper teeth at 1.5 s,
# and rest before 0.4 s and after 2.6 s.

CLOSED = [25, 26, 50, 51]
AT_TEETH = [37, 38]
WIDE = [15, 20, 31, 44, 57]


@pytest.fixture(scope="module", params=["named", "principal"])
def speaker(request, open_head):
    """A head, its maps, and a take that opens and closes its mouth."""
    names = list(open_head.expression_names)
    time = np.arange(T) / 25
    speaking = np.interp(time, [0.4, 0.5, 2.5, 2.6], [0, 1, 1, 0])
    closed = np.exp(-(((time[:, None] - [1.02, 2.02]) / 0.05) ** 4)).sum(1)
    tucked = np.exp(-(((time - 1.5) / 0.05) ** 4))
    angle = 0.18 * speaking * (1 - 0.65 * tucked)
    expression = np.zeros((T, len(names)))
    expression[:, names.index("mouthClose")] = (
        closed * (angle / open_head.mouth_close_angle + 0.04) + tucked * angle / open_head.mouth_close_angle
    )
    labiodental = {"mouthRollLower": 0.6, "mouthShrugLower": 0.35, "mouthUpperUpLeft": 0.4, "mouthUpperUpRight": 0.4}
    for name, value in labiodental.items():
        expression[:, names.index(name)] = value * tucked
    expression[:, names.index("browInnerUp")] = speaking
    jaw = np.stack([angle, 0 * angle, 0 * angle], 1)
    head = open_head
    if request.param == "principal":
        turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(len(names), len(names))))
        directions = np.concatenate([head.identity_dirs, head.expression_dirs @ turn], 2)
        head = replace(head, shapedirs=directions.astype(np.float32), expression_names=None)
        expression = expression @ turn
    raw = RawTake(FaceMotion(expression, jaw, 25.0))
    return head, maps_of_model(head), raw


def gap_mm(head, motion: FaceMotion) -> np.ndarray:
    """(T,) millimetres on the posed mesh."""
    return 1000 * lip_gap(head, head.vertices(motion.expression, motion.jaw))


def test_the_gap_from_the_maps_is_the_gap_on_the_mesh(speaker):
    head, face, raw = speaker
    motion = raw.emotional
    found = face.lips.gap(motion.expression, motion.jaw) * face.lips.millimetre * 1000
    np.testing.assert_allclose(found, gap_mm(head, motion) - 1000 * lip_gap(head, head.v_template), atol=0.05)


def test_lip_close_offset_presses_at_closures_and_moves_nothing_else(speaker):
    head, face, raw = speaker
    before = gap_mm(head, raw.emotional)
    more, less = (gap_mm(head, refined(raw, face, lip_close_offset=offset)) for offset in (0.5, -0.5))
    assert (more[CLOSED] < before[CLOSED] - 0.3).all()
    assert (less[CLOSED] > before[CLOSED] + 0.5).all()
    assert (more < before + 0.01).all()
    np.testing.assert_allclose(more[WIDE], before[WIDE], atol=1e-3)
    np.testing.assert_allclose(less[WIDE], before[WIDE], atol=1e-3)
    np.testing.assert_allclose(more[[0, 1, 73, 74]], before[[0, 1, 73, 74]], atol=1e-3)


def test_lip_open_offset_parts_the_lips_except_at_closures(speaker):
    head, face, raw = speaker
    before, after = gap_mm(head, raw.emotional), gap_mm(head, refined(raw, face, lip_open_offset=0.2))
    expected = 0.2 * OPEN_MM
    assert after[WIDE] - before[WIDE] == pytest.approx(expected, rel=0.3)
    assert after[[0, 74]] - before[[0, 74]] == pytest.approx(expected, rel=0.3)
    np.testing.assert_allclose(after[CLOSED], before[CLOSED], atol=0.05)


def test_a_negative_lip_open_offset_closes_no_further_than_contact(speaker):
    head, face, raw = speaker
    before, after = gap_mm(head, raw.emotional), gap_mm(head, refined(raw, face, lip_open_offset=-0.2))
    assert (after[WIDE] < before[WIDE] - 1).all()
    np.testing.assert_allclose(after[[0, 74]], before[[0, 74]], atol=0.05)
    np.testing.assert_allclose(after[CLOSED], before[CLOSED], atol=0.05)


def test_fv_contact_lifts_the_lower_lip_where_it_is_at_the_teeth_and_nowhere_else(speaker):
    head, face, raw = speaker
    lower = midline_vertices(head, "lips_lower")

    def height_mm(motion: FaceMotion) -> np.ndarray:
        return 1000 * head.vertices(motion.expression, motion.jaw)[:, lower, 1].max(1)

    before = height_mm(raw.emotional)
    nearer, further = (height_mm(refined(raw, face, fv_contact=value)) - before for value in (0.5, -0.5))
    assert (nearer[AT_TEETH] > 0.4).all()
    assert (further[AT_TEETH] < -0.6).all()
    for change in (nearer, further):
        np.testing.assert_allclose(change[[*WIDE, *CLOSED, 0, 1, 73, 74]], 0, atol=1e-3)


@pytest.mark.parametrize(
    "parameters", [{"lower_smoothing": 0.3}, {"jaw_strength": 1.5}, {"jaw_strength": 0.5}, {"lower_strength": 2.0}]
)
def test_closures_stay_closed(speaker, parameters):
    head, face, raw = speaker
    before, after = gap_mm(head, raw.emotional), gap_mm(head, refined(raw, face, **parameters))
    assert np.abs(after[WIDE] - before[WIDE]).max() > 1.0
    assert (after[CLOSED] < 1000 * LIPS_CLOSED_GAP).all()
    assert (after[CLOSED] > before[CLOSED] - 0.5).all()


def test_lower_strength_of_zero_leaves_the_mouth_at_rest_and_the_brows_alone(speaker):
    head, face, raw = speaker
    result = refined(raw, face, lower_strength=0.0)
    vertices = head.vertices(result.expression, result.jaw)
    moved = np.abs(vertices - head.v_template).max((0, 2)) * 1000
    generated = head.vertices(raw.emotional.expression, raw.emotional.jaw)
    assert moved[head.regions["lips"] > 0.5].max() < 0.6
    brows = (head.regions["brow_left"] + head.regions["brow_right"]) > 0.5
    np.testing.assert_allclose(vertices[:, brows], generated[:, brows], atol=3e-4)


def test_upper_strength_of_zero_leaves_the_brows_at_rest_and_the_mouth_alone(speaker):
    head, face, raw = speaker
    result = refined(raw, face, upper_strength=0.0)
    vertices = head.vertices(result.expression, result.jaw)
    brows = (head.regions["brow_left"] + head.regions["brow_right"]) > 0.5
    assert np.abs(vertices - head.v_template)[:, brows].max() * 1000 < 0.6
    np.testing.assert_allclose(gap_mm(head, result), gap_mm(head, raw.emotional), atol=0.2)
