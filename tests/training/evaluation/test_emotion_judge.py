"""The judge recognises emotions and their strength, and is the same each time."""

import numpy as np
import pytest

from emote_blender.emotion import EMOTIONS
from emote_blender.training.evaluation.emotion_judge import EmotionJudge, JudgedMotion, level, statistics

POINTS = 12
REACH = {"A": 1.0, "B": 0.6}  # how strongly a speaker shows what is felt


def examples(seed: int, count: int = 6, noise: float = 0.3) -> list[JudgedMotion]:
    """Faces whose landmarks move along one direction per emotion, in mm, as far as intensity and speaker say."""
    directions = np.random.default_rng(99).standard_normal((len(EMOTIONS), POINTS, 3))
    directions[0] = 0
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        for emotion, direction in zip(EMOTIONS, directions, strict=True):
            for intensity in (0.0, 1.0, 2.0):
                for speaker, reach in REACH.items():
                    points = 3 * reach * (0.4 + 0.3 * intensity) * direction + noise * rng.standard_normal(
                        (20, POINTS, 3)
                    )
                    made.append(JudgedMotion(statistics(points, np.zeros((POINTS, 3))), emotion, intensity, speaker))
    return made


@pytest.fixture(scope="module")
def judge() -> EmotionJudge:
    return EmotionJudge(examples(seed=0))


def test_statistics_by_hand():
    points = np.zeros((2, 1, 3))
    points[0, 0], points[1, 0] = (1, 5, 0), (3, 5, 0)
    assert statistics(points, np.array([[1.0, 1.0, 1.0]])).tolist() == [1, 4, -1, 1, 0, 0]


def test_it_names_the_emotion_of_faces_it_has_not_seen(judge):
    unseen = examples(seed=1)
    assert np.mean([judge.emotion(item.statistics) == item.emotion for item in unseen]) > 0.98


def test_faces_with_swapped_names_are_not_recognised(judge):
    unseen = [item for item in examples(seed=1) if item.intensity == 2]
    following = dict(zip(EMOTIONS, EMOTIONS[1:] + EMOTIONS[:1], strict=True))
    assert np.mean([judge.emotion(item.statistics) == following[item.emotion] for item in unseen]) < 0.02


def test_its_strength_is_the_intensity_whoever_speaks(judge):
    unseen = [item for item in examples(seed=1) if item.emotion != "neutral"]
    strengths = np.array([judge.strength(item.statistics, item.emotion, item.speaker) for item in unseen])
    assert np.abs(strengths - [item.intensity for item in unseen]).max() < 0.5


def test_a_face_at_rest_shows_no_strength_and_an_exaggerated_one_more_than_high(judge):
    mild, _, high = (item.statistics for item in examples(seed=1, count=1)[6:12:2])  # happy, speaker A
    assert judge.strength(high + (high - mild), "happy", "A") > 3
    assert judge.strength(np.zeros_like(high), "happy", "A") < 0


def test_probabilities_sum_to_one(judge):
    probabilities = judge.probabilities(examples(seed=1)[20].statistics)
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities.min() >= 0


def test_the_same_examples_give_the_same_judge(judge):
    again, seen = EmotionJudge(examples(seed=0)), examples(seed=3, count=1)
    for item in seen:
        assert (again.probabilities(item.statistics) == judge.probabilities(item.statistics)).all()
        assert np.array_equal(
            again.strength(item.statistics, item.emotion, "A"),
            judge.strength(item.statistics, item.emotion, "A"),
            equal_nan=True,
        )


def test_neutral_has_no_strength(judge):
    assert np.isnan(judge.strength(np.zeros(6 * POINTS), "neutral", "A"))


def test_an_emotion_seen_at_one_intensity_has_no_strength():
    some = [item for item in examples(seed=0) if item.intensity == 2 or item.emotion == "sad"]
    judge = EmotionJudge(some)
    assert np.isnan(judge.strength(some[-1].statistics, "happy", "A"))
    assert np.isfinite(judge.strength(some[-1].statistics, "sad", "A"))


def test_rare_emotions_count_as_much_as_common_ones():
    given = [item for item in examples(seed=0, noise=8.0) if item.emotion in ("happy", "sad")]
    many = [item for item in given if item.emotion == "happy"] * 8 + [item for item in given if item.emotion == "sad"]
    judge = EmotionJudge(many)
    unseen = [item for item in examples(seed=1, noise=8.0) if item.emotion == "sad"]
    assert np.mean([judge.emotion(item.statistics) == "sad" for item in unseen]) > 0.8


def test_one_emotion_is_not_enough():
    with pytest.raises(ValueError, match="two emotions or more, found happy"):
        EmotionJudge([item for item in examples(seed=0) if item.emotion == "happy"])


def test_levels_are_the_nearest():
    assert [level(value) for value in (-3.0, 0.4, 0.6, 1.4, 1.6, 9.0)] == [0, 0, 1, 1, 2, 2]
