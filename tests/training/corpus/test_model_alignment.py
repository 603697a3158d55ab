"""Phone times corrected by a model: the best path, tolerance, pauses, and shards that are made again."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_corpus import make_shard
from tiny_models import tiny_emote_config, write_random_model

from emote_blender.emote.checkpoint import load_model
from emote_blender.training.corpus import model_alignment, phones
from emote_blender.training.corpus.model_alignment import align, align_part, without_prior

AA, S, SIL = phones.CLASS_INDEX["AA"], phones.CLASS_INDEX["S"], phones.SILENCE


def posteriors(*runs: tuple[int, int]) -> np.ndarray:
    """Sure posteriors of (class, number of frames) each."""
    table = np.zeros((sum(count for _, count in runs), len(phones.CLASSES)), np.float32)
    table[np.arange(len(table)), np.repeat([c for c, _ in runs], [count for _, count in runs])] = 1
    return table


def test_times_follow_the_posteriors_near_the_given_ones():
    sure = posteriors((SIL, 10), (AA, 12), (S, 8), (SIL, 10))
    found = align(sure, np.array([AA, S]), np.array([[0.24, 0.40], [0.40, 0.64]]))
    assert found.classes.tolist() == [SIL, AA, S, SIL]
    assert found.times == pytest.approx(np.array([[0, 0.2], [0.2, 0.44], [0.44, 0.6], [0.6, 0.8]]))
    assert found.score == pytest.approx(np.log(0.97 + 0.03 / 39), abs=1e-6)


def test_a_frequent_class_does_not_take_from_its_rare_neighbour():
    """Posteriors of a model that has seen far more of AA than of S: at the border AA wins wherever it is doubtful."""
    prior = np.full(len(phones.CLASSES), 0.1 / 36)
    prior[[AA, S, SIL]] = 0.6, 0.05, 0.25
    likelihoods = posteriors((SIL, 10), (AA, 10), (S, 10), (SIL, 10)) + 1e-3
    likelihoods[18:22, [AA, S]] = [[0.8, 0.2], [0.6, 0.4], [0.4, 0.6], [0.2, 0.8]]  # equal at 0.40 s
    table = likelihoods * prior
    table /= table.sum(1, keepdims=True)
    given = np.array([AA, S]), np.array([[0.2, 0.4], [0.4, 0.6]])
    assert align(table, *given).times[2, 0] > 0.4
    assert align(without_prior(table, prior), *given).times[2, 0] == pytest.approx(0.4)


def test_a_phone_does_not_move_farther_than_the_tolerance():
    sure = posteriors((SIL, 40), (AA, 10), (SIL, 10))
    found = align(sure, np.array([AA]), np.array([[0.2, 0.4]]))
    assert found.times[1, 0] < 0.4 + model_alignment._FARTHEST_SECONDS
    assert found.score < -1


def test_a_gap_between_given_phones_may_become_a_pause_or_none():
    given = np.array([AA, S]), np.array([[0.1, 0.3], [0.4, 0.6]])
    with_pause = align(posteriors((SIL, 5), (AA, 10), (SIL, 5), (S, 10), (SIL, 5)), *given)
    assert with_pause.classes.tolist() == [SIL, AA, SIL, S, SIL]
    without = align(posteriors((SIL, 5), (AA, 13), (S, 12), (SIL, 5)), *given)
    assert without.classes.tolist() == [SIL, AA, S, SIL]


def test_phones_without_a_gap_get_no_pause_between_them():
    sure = posteriors((SIL, 5), (AA, 8), (SIL, 4), (S, 8), (SIL, 5))
    assert align(sure, np.array([AA, S]), np.array([[0.1, 0.3], [0.3, 0.5]])).classes.tolist() == [SIL, AA, S, SIL]


def test_a_sound_with_fewer_frames_than_phones_has_no_alignment():
    assert (
        align(posteriors((AA, 2)), np.array([AA, S, AA]), np.array([[0, 0.01], [0.01, 0.02], [0.02, 0.04]])).score
        == -np.inf
    )


def test_the_path_is_the_best_of_all():
    generator = np.random.default_rng(3)
    for _ in range(20):
        scores, may_be_skipped = generator.standard_normal((7, 5)), np.array([True, False, True, False, True])
        found = model_alignment._best_path(scores, may_be_skipped)

        allowed = {(a, b) for a in range(5) for b in (a, a + 1, *((a + 2,) if a % 2 else ()))}
        ways = [
            path
            for path in itertools.product(range(5), repeat=7)
            if path[0] < 2 and path[-1] > 2 and allowed.issuperset(itertools.pairwise(path))
        ]
        best = max(ways, key=lambda path: scores[np.arange(7), path].sum())
        assert found.tolist() == list(best)


@pytest.fixture
def exported(tmp_path) -> tuple[Path, Path]:
    """A shard and the folder of a model."""
    (tmp_path / "raw").mkdir()
    folder = write_random_model(tiny_emote_config(), tmp_path / "model", seed=1)
    return make_shard(tmp_path / "raw" / "000.npz"), folder


def test_an_aligned_shard_keeps_sound_and_words_and_the_order_of_the_phones(tmp_path, exported):
    source, model = exported
    (path,) = align_part([source], model, tmp_path / "aligned", least_score=-100.0)
    with np.load(source) as before, np.load(path) as after:
        assert after.files == before.files
        for name in ("samples", "frame_offsets", "speakers", "texts"):
            assert np.array_equal(before[name], after[name])
            assert before[name].dtype == after[name].dtype
        spoken = after["phone_classes"] != phones.SILENCE
        assert after["phone_classes"][spoken].tolist() == before["phone_classes"].tolist()
        moved = np.abs(after["phone_times"][spoken] - before["phone_times"]).max()
        assert 0 < moved < 0.3


def test_utterances_that_score_badly_are_left_out(tmp_path, exported):
    source, model = exported
    (path,) = align_part([source], model, tmp_path / "all", least_score=-100.0)
    tables, given = [], []
    with np.load(source) as archive:
        for i in range(6):
            begin, end = archive["frame_offsets"][i : i + 2]
            sound = torch.from_numpy(archive["samples"][begin * 640 : end * 640].astype(np.float32) / 32768)
            spoken = slice(*archive["phone_offsets"][i : i + 2])
            with torch.inference_mode():
                tables.append(load_model(model).eval().phone_posteriors(sound[None], int(end - begin))[0].numpy())
            given.append((archive["phone_classes"][spoken], archive["phone_times"][spoken]))
    prior = np.concatenate(tables).mean(0)  # of the shard
    scores = [
        align(without_prior(table, prior), *phones_of).score for table, phones_of in zip(tables, given, strict=True)
    ]
    middle = float(np.median(scores))
    (path,) = align_part([source], model, tmp_path / "some", least_score=middle)
    with np.load(source) as before, np.load(path) as after:
        kept = [score >= middle for score in scores]
        assert after["texts"].tolist() == before["texts"][kept].tolist()
        assert len(after["samples"]) == 640 * after["frame_offsets"][-1]
        lengths = np.diff(before["frame_offsets"])[kept]
        assert np.diff(after["frame_offsets"]).tolist() == lengths.tolist()
    with pytest.raises(ValueError, match="no utterance"):
        align_part([source], model, tmp_path / "none", least_score=0.0)


def test_finished_shards_are_kept_and_missing_or_older_ones_made(tmp_path, exported):
    source, model = exported
    other = make_shard(source.parent / "001.npz", seed=1)
    first, second = align_part([source, other], model, tmp_path / "aligned", -100.0)
    made = first.stat().st_mtime_ns
    second.unlink()
    align_part([source, other], model, tmp_path / "aligned", -100.0)
    assert second.is_file()
    assert first.stat().st_mtime_ns == made
    os.utime(source, ns=(made + 10**9, made + 10**9))
    align_part([source, other], model, tmp_path / "aligned", -100.0)
    assert first.stat().st_mtime_ns != made


def test_another_model_makes_all_shards_again_which_is_logged(tmp_path, exported, caplog):
    source, model = exported
    (path,) = align_part([source], model, tmp_path / "aligned", -100.0)
    path.write_bytes(b"made by the model of before")
    align_part([source], model, tmp_path / "aligned", -100.0)
    assert path.read_bytes() == b"made by the model of before"
    write_random_model(tiny_emote_config(), model, seed=2)
    align_part([source], model, tmp_path / "aligned", -100.0)
    assert "aligned: model changed; its shards are aligned again" in caplog.text
    with np.load(path) as archive:
        assert len(archive["texts"]) == 6
