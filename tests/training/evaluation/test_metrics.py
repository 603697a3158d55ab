"""The measures themselves: a perfect input scores full marks, a broken one does not."""

import math

import numpy as np
import pytest

from emote_blender.training.corpus import phones
from emote_blender.training.evaluation import metrics, metrics_content, metrics_mesh


@pytest.fixture
def labels() -> np.ndarray:
    """Two seconds at 50 Hz: silence, a vowel, m from 0.6 to 0.7 s, a vowel, b from 1.2 to 1.3 s, a vowel, silence."""
    track = np.full(100, phones.CLASS_INDEX["AA"])
    track[:10] = track[90:] = phones.SILENCE
    track[30:35] = phones.CLASS_INDEX["M"]
    track[60:65] = phones.CLASS_INDEX["B"]
    return track


@pytest.fixture
def gap() -> np.ndarray:
    """The lip gap (50,) in mm that fits `labels`."""
    track = np.full(50, 8.0)
    track[:5] = track[45:] = 0.0
    track[15:17] = track[30:32] = -1.0
    return track


def in_place_of(labels: np.ndarray, old: str, new: str) -> np.ndarray:
    return np.where(labels == phones.CLASS_INDEX[old], phones.CLASS_INDEX[new], labels)


# ---------------------------------------------------------------- rest, speeds, phones


def test_frames_at_rest_are_two_away_from_speech_and_closed_in_the_reference(gap, labels):
    assert metrics.at_rest(gap, gap, labels).tolist() == [True] * 8  # 5 frames at each end, one of them beside speech
    assert metrics.at_rest(np.where(np.arange(50) == 46, 1.0, gap), gap, labels).sum() == 7
    assert metrics.at_rest(np.where(np.arange(50) == 45, 1.0, gap), gap, labels).all()
    assert len(metrics.at_rest(gap, np.where(np.arange(50) < 5, 1.0, gap), labels)) == 4


def test_only_closures_inside_speech_count_as_inner(gap, labels):
    labels = labels.copy()
    labels[10:15] = phones.CLASS_INDEX["P"]  # begins the speech
    labels[85:90] = phones.CLASS_INDEX["M"]  # ends it
    assert metrics.closures(gap, gap, labels).events == 4
    found = metrics.inner_closures(gap, gap, labels)
    assert (found.events, found.hits, found.runs, found.false_runs) == (2, 2, 2, 0)
    still = np.where(np.arange(50) > 10, 8.0, gap)
    assert metrics.inner_closures(still, gap, labels).runs == 0
    false = np.where(np.arange(50) == 22, 0.0, gap)
    assert metrics.inner_closures(false, gap, labels).false_runs == 1


def test_a_closure_at_the_end_of_a_clip_is_not_inside_speech(gap, labels):
    assert metrics.inner_closures(gap[:17], gap[:17], labels[:34]).events == 0


def test_speeds_are_the_steepest_steps_around_the_middle_of_each_syllable():
    labels = np.full(60, phones.CLASS_INDEX["T"])
    labels[10:20] = labels[40:50] = phones.CLASS_INDEX["AA"]  # middles at frames 7 and 22
    gap = np.zeros(30)
    gap[5:10] = 2, 6, 6, 5, 2
    gap[20:24] = 1, 4, 4, 3
    assert metrics.syllable_speeds(gap, labels) == pytest.approx(np.array([[100, 75], [75, 75]]))
    assert metrics.syllable_speeds(gap, np.full(60, phones.SILENCE)).shape == (0, 2)


def test_phones_are_recognised_where_the_right_class_is_most_probable(labels):
    posteriors = np.full((100, len(phones.CLASSES)), 0.01)
    posteriors[:, phones.CLASS_INDEX["AA"]] = 0.5
    right = metrics.recognised_phones(posteriors, labels)
    assert len(right) == 80
    assert right.sum() == 70


# ---------------------------------------------------------------- contacts


def test_events_have_their_times(labels):
    assert metrics.events(labels, phones.BILABIALS) == [(0.6, 0.7), (1.2, 1.3)]


def test_a_perfect_motion_has_every_closure_and_no_false_one(gap, labels):
    found = metrics.closures(gap, gap, labels)
    assert (found.events, found.hits, found.runs, found.false_runs) == (2, 2, 4, 0)
    assert found.f1 == pytest.approx(1)


def test_an_open_mouth_has_no_closure(gap, labels):
    found = metrics.closures(np.full(50, 3.0), gap, labels)
    assert found.recall == 0
    assert found.f1 == 0


def test_a_closed_mouth_has_every_closure_but_is_not_precise(gap, labels):
    flapping = np.where(np.arange(50) % 4 < 2, 0.0, 5.0)
    found = metrics.closures(flapping, gap, labels)
    assert found.recall == 1
    assert found.precision < 0.6


def test_a_closure_that_comes_four_frames_late_is_missed(gap, labels):
    shifted = np.concatenate([np.full(4, 8.0), gap[:-4]])
    shifted[45:] = 8.0
    found = metrics.closures(shifted, gap, labels)
    assert found.hits == 0
    assert (found.runs, found.false_runs) == (3, 2)  # the silence's is there; both others are out of place


def test_without_such_a_sound_recall_is_nan(gap):
    found = metrics.closures(gap, gap, np.full(100, phones.CLASS_INDEX["AA"]))
    assert math.isnan(found.recall)
    assert math.isnan(found.f1)


def test_contacts_of_many_clips_add_up():
    both = metrics.total([metrics.Contacts(4, 3, 5, 1), metrics.Contacts(6, 3, 5, 1)])
    assert both.recall == pytest.approx(0.6)
    assert both.precision == pytest.approx(0.8)
    assert both.f1 == pytest.approx(2 * 0.6 * 0.8 / 1.4)


def test_a_tuck_is_judged_against_the_reference(labels):
    labels = in_place_of(labels, "M", "F")
    wanted = np.full(50, 6.0)
    wanted[15:17] = 0.0
    assert metrics.tucks(wanted, wanted, labels).f1 == pytest.approx(1)
    assert metrics.tucks(wanted + 0.9, wanted, labels).recall == 1
    assert metrics.tucks(wanted + 1.1, wanted, labels).recall == 0


def test_a_lip_at_the_teeth_where_the_reference_keeps_away_is_a_false_tuck(labels):
    labels = in_place_of(labels, "M", "F")
    wanted = np.full(50, 6.0)
    wanted[15:17] = 0.0
    found = wanted.copy()
    found[25:27] = found[40] = -0.5
    contacts = metrics.tucks(found, wanted, labels)
    assert (contacts.runs, contacts.false_runs) == (3, 2)
    assert contacts.precision == pytest.approx(1 / 3)


def test_a_tuck_beside_closed_lips_is_not_false(labels):
    wanted = np.full(50, 6.0)
    wanted[30:32] = 0.5  # closed lips: within a millimetre of the teeth, too
    found = np.where(np.arange(50) == 29, -0.2, 6.0)  # one frame early
    assert metrics.tucks(found, wanted, labels).false_runs == 0


def test_lips_that_never_round_miss_every_rounding(labels):
    labels = in_place_of(labels, "M", "UW")
    wanted = np.full(50, 56.0)
    wanted[14:18] = 44.0
    perfect = metrics.roundings(wanted, wanted, 58.0, labels)
    assert (perfect.events, perfect.hits, perfect.runs, perfect.false_runs) == (1, 1, 1, 0)
    assert metrics.roundings(np.full(50, 56.0), wanted, 58.0, labels).recall == 0
    assert metrics.roundings(wanted + 2.9, wanted, 58.0, labels).recall == 1
    assert metrics.roundings(wanted + 3.1, wanted, 58.0, labels).recall == 0


def test_lips_that_are_always_round_are_not_precise(labels):
    labels = in_place_of(labels, "M", "UW")
    wanted = np.full(50, 56.0)
    wanted[14:18] = 44.0
    pumping = np.where(np.arange(50) % 8 < 4, 44.0, 56.0)
    assert metrics.roundings(pumping, wanted, 58.0, labels).precision < 0.4


def test_the_first_closure_counts_only_where_an_utterance_begins_with_one(gap, labels):
    assert metrics.first_closure(gap, labels) is None
    begun = labels.copy()
    begun[10:16] = phones.CLASS_INDEX["P"]
    assert metrics.first_closure(np.full(50, 8.0), begun) is False
    closed = gap.copy()
    closed[5:8] = -1.0
    assert metrics.first_closure(closed, begun) is True


def test_rest_is_judged_where_the_reference_rests(gap, labels):
    assert metrics.at_rest(gap, gap, labels).tolist() == [True] * 8
    hanging = gap + 1.0
    assert not metrics.at_rest(hanging, gap, labels).any()
    smiling = np.where(np.arange(50) < 5, 3.0, gap)  # a face whose reference shows its teeth in one of the two pauses
    assert len(metrics.at_rest(gap, smiling, labels)) == 4


def test_frames_of_an_event_are_those_whose_middle_lies_in_it():
    assert metrics.frames_of((0.4, 0.48), 50, tolerance=0) == slice(10, 12)
    assert metrics.frames_of((0.4, 0.48), 50) == slice(9, 13)
    assert metrics.frames_of((5.0, 5.1), 50) == slice(49, 50)


# ---------------------------------------------------------------- tracks


def test_correlation_is_one_for_itself_minus_one_for_its_opposite_and_zero_for_stillness(gap):
    assert metrics.correlation(2 * gap + 1, gap) == pytest.approx(1)
    assert metrics.correlation(-gap, gap) == pytest.approx(-1)
    assert metrics.correlation(np.ones(50), gap) == 0
    assert np.isnan(metrics.correlation(gap, np.ones(50)))


def test_correlation_falls_where_a_motion_lags_by_four_frames():
    talking = np.sin(2 * np.pi * 3 * np.arange(200) / 25)  # 4 frames are 0.48 of its period
    assert metrics.correlation(np.roll(talking, 4), talking) == pytest.approx(math.cos(2 * np.pi * 0.48), abs=0.01)


def test_fast_energy_sees_tremor_and_not_slow_movement():
    time = np.arange(100) / 25
    slow, tremor = np.sin(2 * np.pi * 3 * time), np.sin(2 * np.pi * 10 * time)
    assert metrics.fast_energy(slow) < 1e-4
    assert metrics.fast_energy(tremor) > 0.05
    assert metrics.fast_energy(2 * tremor) == pytest.approx(4 * metrics.fast_energy(tremor), rel=0.01)


def test_fast_energy_of_tracks_is_their_mean():
    time = np.arange(100) / 25
    first, second = np.sin(2 * np.pi * 10 * time), 3 * np.sin(2 * np.pi * 11 * time)
    mean = (metrics.fast_energy(first) + metrics.fast_energy(second)) / 2
    assert metrics.fast_energy(np.stack([first, second], 1)) == pytest.approx(mean)


def test_a_spectrum_has_its_peak_at_the_tone():
    time = np.arange(150) / 25
    spectra = metrics.power_spectra(np.sin(2 * np.pi * 4 * time))
    assert spectra.shape == (5, 26)
    assert (metrics.SPECTRUM_HZ[spectra.argmax(1)] == 4).all()
    assert metrics.power_spectra(time[:49]).shape == (0, 26)


# ---------------------------------------------------------------- surfaces


def test_vertex_errors_by_hand():
    wanted = np.zeros((2, 2, 3))
    found = wanted.copy()
    found[0, 0] = (3, 4, 0)  # 5 mm
    found[1, 1] = (0, 0, 2)
    found[1, 0] = (0, 1, 0)
    assert metrics_mesh.mean_vertex_error(found, wanted) == pytest.approx((5 + 0 + 1 + 2) / 4)
    assert metrics_mesh.max_vertex_error(found, wanted) == pytest.approx((5 + 2) / 2)
    assert metrics_mesh.max_vertex_error(wanted, wanted) == 0


def test_vertex_errors_refuse_another_length():
    with pytest.raises(ValueError, match=r"\(2, 4, 3\)"):
        metrics_mesh.mean_vertex_error(np.zeros((2, 4, 3)), np.zeros((1, 4, 3)))


def test_face_dynamics_deviation_by_hand():
    rest = np.array([[1.0, 0, 0], [0, 0, 0]])
    wanted = np.stack([rest, rest + (0, 4, 0)])  # distances 0 and 4: standard deviation 2
    found = np.stack([rest, rest])
    found[1, 0] += (0, 0, 2)  # 1 for the first vertex, 0 for the second
    assert metrics_mesh.face_dynamics_deviation(wanted, wanted, rest) == 0
    assert metrics_mesh.face_dynamics_deviation(found, wanted, rest) == pytest.approx(((2 - 1) + (2 - 0)) / 2)
    assert metrics_mesh.face_dynamics_deviation(wanted, found, rest) == pytest.approx(-1.5)


def test_a_frozen_face_is_not_lively_wherever_it_rests():
    rng = np.random.default_rng(0)
    still = np.broadcast_to(rng.standard_normal((1, 5, 3)), (40, 5, 3))
    assert metrics_mesh.liveliness(still) == pytest.approx(0)
    swing = np.zeros((40, 1, 3))
    swing[::2, 0, 1], swing[1::2, 0, 1] = 3.0, -3.0
    assert metrics_mesh.liveliness(swing + 7) == pytest.approx(3.0)


# ---------------------------------------------------------------- emotion and content


def test_the_same_articulation_with_other_postures_agrees_fully():
    rng = np.random.default_rng(0)
    clips = [np.stack([track, track + 5, 2 * track - 1]) for track in (rng.random(40), rng.random(25))]
    matrix = metrics_content.agreement(clips)
    assert matrix == pytest.approx(np.ones((3, 3)))


def test_agreement_by_hand():
    clip = np.array([[1.0, -1, 1, -1], [1, -1, -1, 1], [1, 1, -1, -1], [1, -1, 1, -3]])
    matrix = metrics_content.agreement([clip])
    last = np.corrcoef(clip[0], clip[3])[0, 1]
    assert matrix[0] == pytest.approx([1, 0, 0, last])
    assert metrics_content.agreement_with_first(matrix) == pytest.approx(last / 3)
    pairs = [np.corrcoef(clip[i], clip[j])[0, 1] for i in range(4) for j in range(i + 1, 4)]
    assert metrics_content.agreement_of_pairs(matrix) == pytest.approx(np.mean(pairs))


def test_an_emotion_that_freezes_the_mouth_agrees_with_nothing():
    rng = np.random.default_rng(0)
    track = rng.random(40)
    matrix = metrics_content.agreement([np.stack([track, np.full(40, 3.0)])])
    assert metrics_content.agreement_with_first(matrix) == 0


def test_stability_is_one_where_an_emotion_does_the_same_to_every_clip():
    faces = np.random.default_rng(0).standard_normal((1, 7, 12))
    assert metrics_content.stability(np.repeat(faces, 5, axis=0)) == pytest.approx(1)


def test_stability_by_hand():
    residuals = np.array([[[1.0], [3.0]], [[3.0], [5.0]]])  # means 2 and 4, of all 3
    assert metrics_content.stability(residuals) == pytest.approx(1 - 4 / 8)


def test_stability_is_low_where_emotions_are_swapped_at_random():
    rng = np.random.default_rng(0)
    faces = rng.standard_normal((7, 30))
    swapped = np.stack([faces[rng.permutation(7)] for _ in range(60)])
    assert metrics_content.stability(swapped) < 0.1


def test_stability_of_one_clip_or_of_a_face_without_emotion_is_nan():
    assert math.isnan(metrics_content.stability(np.ones((1, 7, 3))))
    assert math.isnan(metrics_content.stability(np.ones((4, 7, 3))))


def test_strength_must_rise_at_each_step():
    strengths = np.array([[0.1, 1.0, 2.0], [0.1, 2.0, 1.9], [1.0, 0.5, 2.0], [0, 0, 1.0]])
    assert metrics_content.rising(strengths) == 0.25
    assert math.isnan(metrics_content.rising(np.zeros((0, 3))))


def test_a_constant_track_of_single_precision_does_not_correlate():
    assert metrics.correlation(np.full(300, 7.3, np.float32), np.sin(np.arange(300.0))) == 0
