"""The lip reader, its targets and its error rate."""

import math

import pytest
import torch

from emote_blender.training.corpus.phones import CLASSES, SILENCE
from emote_blender.training.networks.lip_reading import (
    BLANK,
    CTCTargets,
    LipReader,
    LipReaderConfig,
    ctc_loss,
    ctc_targets,
    edit_distance,
    frame_loss,
    greedy_decode,
    phone_error_rate,
)

pytestmark = pytest.mark.torch


def certain(classes: list[int]) -> torch.Tensor:
    """(1, T, classes + 1) log-probabilities that are nearly sure of these."""
    logits = torch.full((1, len(classes), BLANK + 1), -20.0)
    logits[0, range(len(classes)), classes] = 0
    return logits.log_softmax(-1)


def test_outputs_are_log_probabilities_of_phones_and_a_blank():
    reader = LipReader(LipReaderConfig.tiny()).eval()
    with torch.inference_mode():
        found = reader(torch.rand(2, 5, 96, 96))
    assert found.shape == (2, 5, len(CLASSES) + 1)
    torch.testing.assert_close(found.exp().sum(-1), torch.ones(2, 5))


def test_features_are_those_of_the_front_end_alone():
    torch.manual_seed(0)
    reader, crops = LipReader(LipReaderConfig.tiny()).eval(), torch.rand(1, 5, 96, 96)
    with torch.inference_mode():
        before = reader.features(crops)
        torch.nn.init.zeros_(reader.head.weight)
        torch.nn.init.zeros_(reader.projection.weight)
        assert torch.equal(reader.features(crops), before)
        assert before.shape == (1, 5, 64)


def test_runs_of_labels_are_phones():
    targets = ctc_targets(torch.tensor([[0, 0, 5, 5, 5, 7, 5], [3, 3, 3, 3, 3, 3, 3]]))
    assert targets.phones.tolist() == [0, 5, 7, 5, 3]
    assert targets.lengths.tolist() == [4, 1]


def test_the_loss_of_ctc_sums_over_alignments():
    """Two frames that say one phone: "p p", "p blank", "blank p" are the alignments."""
    logits = torch.randn(1, 2, BLANK + 1).log_softmax(-1)
    p = logits[0].exp()
    expected = -math.log(p[0, 4] * p[1, 4] + p[0, 4] * p[1, BLANK] + p[0, BLANK] * p[1, 4])
    found = ctc_loss(logits, CTCTargets(torch.tensor([4]), torch.tensor([1])))
    assert found.item() == pytest.approx(expected, abs=1e-5)


def test_more_phones_than_frames_give_no_loss_and_no_gradient():
    logits = torch.randn(1, 2, BLANK + 1, requires_grad=True)
    loss = ctc_loss(logits.log_softmax(-1), CTCTargets(torch.tensor([1, 2, 3]), torch.tensor([3])))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.abs().max() == 0


def test_the_frame_loss_leaves_the_blank_aside():
    logits = torch.zeros(1, 1, BLANK + 1)
    logits[..., BLANK] = 50
    found = frame_loss(logits.log_softmax(-1), torch.tensor([[2, 8]]))
    assert found.item() == pytest.approx(math.log(len(CLASSES)), abs=1e-4)


def test_decoding_joins_repeats_and_drops_blanks():
    assert greedy_decode(certain([4, 4, BLANK, 4, 9, 9, BLANK])) == [[4, 4, 9]]


def test_what_is_decoded_from_certain_frames_has_no_errors():
    labels = torch.tensor([[0, 0, 3, 3, 6, 6, 6, 6, 1, 1]])
    found = greedy_decode(certain(labels[0, ::2].tolist()))
    assert found == [ctc_targets(labels).phones.tolist()]
    assert phone_error_rate(found, found) == 0


@pytest.mark.parametrize(
    "found, wanted, edits",
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("ab", "ba", 2)],
)
def test_edit_distances_are_levenshteins(found, wanted, edits):
    assert edit_distance([ord(c) for c in found], [ord(c) for c in wanted]) == edits


def test_the_error_rate_counts_over_all_clips_and_leaves_silences_out():
    assert phone_error_rate([[SILENCE, 1, 2], [3]], [[1, 2, SILENCE], [4, 5]]) == pytest.approx(2 / 4)


def test_a_few_steps_teach_it_to_tell_two_mouths_apart():
    torch.manual_seed(0)
    reader = LipReader(LipReaderConfig.tiny())
    crops = torch.rand(1, 12, 96, 96) * 0.1
    crops[:, 4:8, 40:60] += 0.6
    labels = torch.tensor([[5] * 8 + [9] * 8 + [5] * 8])
    optimiser = torch.optim.Adam(reader.parameters(), lr=2e-3)
    for _ in range(12):
        found = reader(crops)
        loss = ctc_loss(found, ctc_targets(labels)) + frame_loss(found, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    frames = found[0, :, :BLANK].argmax(-1).tolist()
    assert frames == labels[0, ::2].tolist()
