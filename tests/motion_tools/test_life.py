"""Blinks, gaze and head motion on a motion: within the limits of a face, the same by seed, and as in the literature."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import life_figures
import numpy as np
import pytest

from emote_blender.errors import InputError
from emote_blender.flame.model import FaceModel
from emote_blender.motion import FaceMotion
from emote_blender.motion_tools.blinks import Blinks, plan_blinks
from emote_blender.motion_tools.gaze import HUMAN, LIMITS_DEGREES, EyePlaces, eye_rotations, plan_gaze
from emote_blender.motion_tools.head_motion import neck_rotations
from emote_blender.motion_tools.life import STILL, Life, LifeMotion, add_life, life_motion
from emote_blender.motion_tools.prosody import Phrasing, phrasing
from emote_blender.motion_tools.rotation import axis_angle_to_matrix

ROOT = Path(__file__).parents[2]
NAMES = [
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
]


@pytest.fixture(scope="module")
def voice():
    return life_figures.long_voice(60)


def motion_of(seconds: float = 60.0, fps: float = 25.0, named: bool = True, emotion: str = "neutral") -> FaceMotion:
    num_frames = round(seconds * fps)
    meta = {"expression_names": NAMES if named else None, "emotion": emotion, "intensity": 2.0}
    return FaceMotion(np.zeros((num_frames, len(NAMES))), np.zeros((num_frames, 3)), fps, meta=meta)


# ---- the figures -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figures():
    return life_figures.all_figures()


def test_every_figure_agrees_with_the_published_ones(figures):
    assert [item.name for item in figures if not item.low <= item.measured <= item.high] == []


def test_the_table_of_the_docs_is_what_the_code_gives(figures):
    assert life_figures.table(figures) in (ROOT / "docs" / "life.md").read_text(encoding="utf-8")


# ---- seeds, frame rates, switches ------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_face_and_another_seed_another(voice):
    first, again, other = (add_life(motion_of(), voice, Life(seed=seed)) for seed in (3, 3, 4))
    for name in ("expression", "eyes", "neck"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert np.abs(getattr(first, name) - getattr(other, name)).max() > 0.01


def test_the_frame_rate_does_not_change_when_things_happen(voice):
    slow, fast = (add_life(motion_of(fps=fps), voice) for fps in (25.0, 50.0))
    for name in ("expression", "eyes", "neck"):
        np.testing.assert_allclose(getattr(fast, name)[::2], getattr(slow, name), atol=1e-6)


def test_a_lead_in_before_the_sound_does_not_change_what_follows(voice):
    later = life_motion(motion_of(20), voice, Life())
    longer = life_motion(motion_of(22), voice, Life(), start_seconds=-2.0)
    for name in ("eyes", "neck", "closure"):
        np.testing.assert_allclose(getattr(longer, name)[50:450], getattr(later, name)[:400], atol=1e-9)


def test_what_is_switched_off_leaves_the_motion_alone(voice):
    motion = motion_of()
    for life, changed in (
        (Life(gaze=False, head_motion=False), {"expression"}),
        (Life(blinks=False, head_motion=False), {"eyes", "expression"}),
        (Life(blinks=False, gaze=False), {"neck"}),
        (Life(blinks=False, gaze=False, head_motion=False), set()),
    ):
        made = add_life(motion, voice, life)
        names = {name for name in ("expression", "eyes", "neck", "lids") if getattr(made, name) is not None}
        assert names - {"expression"} == changed - {"expression"}
        assert ("expression" in changed) == (np.abs(made.expression - motion.expression).max() > 0)


@pytest.mark.parametrize("seconds", [0.04, 0.3, 1.0])
def test_a_short_motion_is_served(seconds):
    made = add_life(motion_of(seconds))
    assert all(np.isfinite(values).all() for values in (made.expression, made.eyes, made.neck))


def test_impossible_settings_are_refused():
    with pytest.raises(InputError, match="blink every 0.1 s"):
        Life(blink_interval_seconds=0.1)
    with pytest.raises(InputError, match="seed is -1"):
        Life(seed=-1)


# ---- blinks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interval", [2.0, 4.0, 10.0])
def test_blinks_come_as_often_as_asked(interval):
    parts = phrasing(life_figures.long_voice(300))
    counts = [len(plan_blinks(0.0, 300.0, parts, interval, seed)) for seed in range(20)]
    assert np.mean(counts) == pytest.approx(300 / interval, rel=0.12)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30.0, 60.0])
def test_every_full_blink_has_a_frame_with_closed_lids(fps, voice):
    parts = phrasing(voice)
    blinks = plan_blinks(0.0, 60.0, parts, 2.0)
    seconds = np.arange(round(60 * fps)) / fps
    closure = blinks.closure_at(seconds)
    assert len(blinks) > 20
    for number in range(len(blinks)):
        for eye in range(2):
            near = np.abs(seconds - blinks.closed[number, eye]) < 0.1
            assert closure[near, eye].max() > 0.93 * blinks.depth[number, eye]


def test_a_face_is_at_rest_at_the_ends_of_its_motion(voice):
    parts = phrasing(voice)
    for seed in range(50):
        closure = plan_blinks(0.0, 5.0, parts, 0.7, seed).closure_at(np.array([0.0, 5.0]))
        assert not closure.any()


def test_lids_meet_and_never_pass_whatever_the_model_does():
    """The lids' vertices of the open head say how far they are apart."""
    model = FaceModel.load(ROOT / "models" / "open_head")
    names = list(model.expression_names)
    motion = FaceMotion(np.zeros((1, 50)), np.zeros((1, 3)), 25.0, meta={"expression_names": names})
    corners = model.faces[model.landmark_faces]

    def opening(expression: np.ndarray) -> float:
        vertices = model.v_template + model.expression_dirs @ expression
        points = np.einsum("lcd,lc->ld", vertices[corners], model.landmark_barycentrics)
        return 1000 * float((points[43:45].mean(axis=0) - points[46:48].mean(axis=0))[1])

    closed = LifeMotion(None, None, np.ones((1, 2)), np.zeros((1, 1)))
    for pose in (
        {},
        {"eyeSquintLeft": 1},
        {"eyeWideLeft": 1},
        {"eyeBlinkLeft": 0.4},
        {"eyeSquintLeft": 0.5, "cheekSquintLeft": 0.8},
    ):
        motion.expression[:] = 0
        for name, value in pose.items():
            motion.expression[0, names.index(name)] = value
        assert -1.0 < opening(closed.added_to(motion).expression[0]) < 1.0, pose


def test_lids_that_the_model_has_closed_stay_so(voice):
    motion = motion_of()
    motion.expression[:, :2] = 1.0
    assert np.all(add_life(motion, voice).expression[:, :2] == 1.0)


def test_blink_strength_scales_the_closure_and_stops_at_closed(voice):
    half, double = (add_life(motion_of(), voice, Life(gaze=False, blink_strength=value)) for value in (0.5, 2.0))
    assert half.expression[:, :2].max() == pytest.approx(0.5, abs=1e-6)
    assert double.expression[:, :2].max() == 1.0


def test_strengths_may_change_over_time(voice):
    strength = np.where(np.arange(1500) < 750, 0.0, 1.0)
    made = add_life(
        motion_of(), voice, Life(gaze=False, blink_strength=strength, head_strength=strength, breathing=0.0)
    )
    assert not made.expression[:750, :2].any()
    assert made.expression[750:, :2].max() == 1.0
    assert not made.neck[:750].any()


def test_the_eyelid_offset_opens_and_closes(voice):
    for offset, component, value in ((-1.0, 0, 1.0), (-0.3, 0, 0.3), (0.4, 4, 0.4)):
        made = add_life(motion_of(), voice, replace(STILL, eyelid_open_offset=offset))
        assert made.expression[0, component] == pytest.approx(value)


def test_a_basis_without_names_gets_lids(voice):
    made = add_life(motion_of(named=False), voice)
    assert not made.expression.any()
    assert made.lids.shape == (1500, 2)
    assert made.lids.min() >= 0.0
    assert made.lids.max() == 1.0


# ---- gaze ------------------------------------------------------------------------------------------------------------


def line_of_sight(eyes: np.ndarray, neck: np.ndarray, places: EyePlaces) -> tuple[np.ndarray, np.ndarray]:
    """Middle (T, 2, 3) and direction (T, 2, 3) of both eyes in the frame of the unturned neck."""
    turn = axis_angle_to_matrix(neck)
    origin = np.einsum("tij,ej->tei", turn, places.eyes - places.neck) + places.neck
    look = axis_angle_to_matrix(eyes.reshape(-1, 2, 3))[..., 2]  # where +z goes
    return origin, np.einsum("tij,tej->tei", turn, look)


def test_both_eyes_meet_on_the_target_while_the_head_turns():
    random = np.random.default_rng(0)
    target = np.array([0.0, 0.0, 0.6]) + random.uniform(-0.08, 0.08, (100, 3))
    neck = random.uniform(-0.08, 0.08, (100, 3))
    eyes = eye_rotations(np.zeros((100, 2)), neck, target)
    origin, direction = line_of_sight(eyes, neck, HUMAN)
    wanted = target[:, None] - origin
    wanted /= np.linalg.norm(wanted, axis=2, keepdims=True)
    assert np.degrees(np.arccos(np.clip((wanted * direction).sum(axis=2), -1, 1))).max() < 1e-3
    # They turn inwards: the left eye's yaw is below the right one's.
    assert np.all(eyes[:, 1] < eyes[:, 4])


def test_eyes_do_not_twist_and_stay_within_their_range():
    random = np.random.default_rng(1)
    target = 2 * random.normal(size=(500, 3))
    eyes = eye_rotations(np.zeros((500, 2)), np.zeros((500, 3)), target)
    assert not eyes[:, [2, 5]].any()
    look = axis_angle_to_matrix(eyes.reshape(-1, 2, 3))[..., 2].reshape(-1, 3)
    left, up = np.degrees(np.arctan2(look[:, 0], look[:, 2])), np.degrees(np.arcsin(look[:, 1]))
    assert np.abs(left).max() <= LIMITS_DEGREES[0] + 1e-6
    assert -LIMITS_DEGREES[1] - 1e-6 <= up.min() < -20
    assert 18 < up.max() <= LIMITS_DEGREES[2] + 1e-6


def test_the_weight_goes_from_the_listener_to_the_target():
    target = np.repeat([[0.2, 0.1, 0.6]], 3, axis=0)
    eyes = eye_rotations(np.zeros((3, 2)), np.zeros((3, 3)), target, np.array([0.0, 0.5, 1.0]))
    ahead = eye_rotations(np.zeros((1, 2)), np.zeros((1, 3)))
    np.testing.assert_allclose(eyes[0], ahead[0], atol=1e-9)
    assert np.all(np.diff(eyes[:, [1, 4]], axis=0) > 0.05)


def test_the_upper_lid_follows_a_downward_look(voice):
    low = np.repeat([[0.0, -0.4, 1.0]], 1500, axis=0)
    high = np.repeat([[0.0, 0.4, 1.0]], 1500, axis=0)
    still: dict[str, Any] = {"blinks": False, "head_motion": False, "saccade_strength": 0.0}
    down, up = (add_life(motion_of(), voice, Life(look_at=point, **still)).expression for point in (low, high))
    assert 0.2 < down[:, 0].min() < 0.5
    assert not down[:, 4].any()
    assert up[:, 4].min() > 0.1
    assert not up[:, 0].any()


def test_speakers_look_away_oftener_than_listeners():
    talking = Phrasing(np.ones(7500, bool), 25.0, *np.zeros((4, 0)))
    away = [
        np.mean([(plan_gaze(0, 300, parts, seed).amplitudes > 5).sum() for seed in range(5)])
        for parts in (talking, Phrasing.silent(7500))
    ]
    assert away[0] > 1.5 * away[1]


# ---- head ------------------------------------------------------------------------------------------------------------


def test_a_speaking_head_moves_more_than_a_silent_one(voice):
    speaking, silent = (life_motion(motion_of(), part, Life(breathing=0.0)).neck for part in (voice, None))
    assert speaking.std(axis=0).sum() > 1.8 * silent.std(axis=0).sum()


def test_sadness_lowers_the_head_and_happiness_raises_it(voice):
    sad, happy, neutral = (
        life_motion(motion_of(emotion=name), voice, Life()).neck[:, 0].mean() for name in ("sad", "happy", "neutral")
    )
    assert sad > neutral + np.radians(3)
    assert happy < neutral - np.radians(0.5)


def test_breath_goes_on_without_head_motion_strength():
    seconds = np.arange(1500) / 25
    neck = neck_rotations(seconds, Phrasing.silent(1), None, None, strength=0.0, breathing=1.0)
    crossings = (np.diff(np.sign(neck[:, 0])) > 0).sum()
    assert 10 <= crossings <= 20
    assert not neck[:, 1:].any()


def test_closure_of_no_blinks_is_zero():
    none = np.zeros(0)
    nothing = Blinks(np.zeros((0, 2)), none, none, none, np.zeros((0, 2)))
    assert not nothing.closure_at(np.arange(10.0)).any()


def test_where_a_face_is_absent_nothing_moves_and_no_blink_is_cut(voice):
    presence = np.ones(1500)
    presence[500:800] = 0.0
    presence[800:812] = np.linspace(0, 1, 12)
    whole, part = (
        life_motion(motion_of(), voice, Life(presence=values, blink_interval_seconds=1.0)) for values in (1.0, presence)
    )
    assert not part.neck[500:800].any()
    assert not part.eyes[500:800].any()
    assert not part.closure[500:811].any()
    kept = part.closure.any(axis=1)
    np.testing.assert_array_equal(part.closure[kept], whole.closure[kept])
    starts, ends = np.flatnonzero(np.diff(kept.astype(int)) == 1), np.flatnonzero(np.diff(kept.astype(int)) == -1)
    assert len(starts) == len(ends) > 15
    assert part.closure[starts + 1].max() < 0.9


def test_a_motion_states_what_was_added(voice):
    assert add_life(motion_of(), voice, Life(seed=9, gaze=False)).meta["life"] == {
        "blinks": True,
        "gaze": False,
        "head_motion": True,
        "seed": 9,
    }
