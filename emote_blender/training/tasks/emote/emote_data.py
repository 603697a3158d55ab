"""The data of EMOTE's training: training batches by number and held-out batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import torch

from ....speech_model.config import LogMelEncoderConfig
from ...data.clip_batch import ClipBatch
from ...data.clips import ClipBatches, SelectedClips, WindowSettings
from ...data.corpus.parts import find_parts
from ...data.corpus.speech_batches import SPEAKERS, BatchSource, DrawSettings, SpeechBatches
from ...data.epoch_order import VALIDATION_SEED
from ...data.mead.mead import PUBLISHED_SPLIT, MEADClips
from ...data.motion_folder import MotionFolder
from .emote_settings import CorpusData, EMOTESettings, MEADData, ModelSettings, MotionsData


class EMOTEData(Protocol):
    """A source of batches. It can be pickled, so that worker processes can make them."""

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of the speakers, in the order of the condition's columns."""
        ...

    @property
    def num_batches(self) -> int | None:
        """Training batches in an epoch; None if there is no end."""
        ...

    def batch(self, number: int) -> ClipBatch:
        """Training batch `number`, which depends on the seed and the number only."""
        ...

    def validation(self) -> Iterator[ClipBatch]:
        """The held-out batches, the same each time."""
        ...


class CorpusBatches:
    """The generated corpus, with augmentation of the training batches only."""

    def __init__(self, training: BatchSource, held_out: BatchSource, num_validation: int) -> None:
        self._training, self._held_out = SpeechBatches(training), SpeechBatches(held_out)
        self._num_validation = num_validation

    @property
    def speakers(self) -> tuple[str, ...]:
        """The speakers of the emotion styles."""
        return SPEAKERS

    @property
    def num_batches(self) -> int | None:
        """None: windows are drawn without end."""
        return None

    def batch(self, number: int) -> ClipBatch:
        """See `EMOTEData`."""
        return _keeping_random_state(self._training, number)

    def validation(self) -> Iterator[ClipBatch]:
        """See `EMOTEData`."""
        return (_keeping_random_state(self._held_out, number) for number in range(self._num_validation))


def _keeping_random_state(batches: SpeechBatches, number: int) -> ClipBatch:
    """A batch; torch's generator is unchanged although the first batch builds an encoder with random weights."""
    with torch.random.fork_rng(devices=[]):
        return batches[number]


class WindowedClips:
    """Random windows of any source of clips (`clips.Clips`), each clip once per epoch.

    Args:
        training: batches of the training clips.
        held_out: batches of the held-out clips.
        num_validation: number of held-out batches to use; 0 for all.
    """

    def __init__(self, training: ClipBatches, held_out: ClipBatches, num_validation: int = 0) -> None:
        self._training, self._held_out = training, held_out
        self._num_validation = num_validation or held_out.num_batches

    @property
    def speakers(self) -> tuple[str, ...]:
        """The speakers of the training clips."""
        return tuple(self._training.clips.speakers)

    @property
    def num_batches(self) -> int | None:
        """Whole batches in an epoch."""
        return self._training.num_batches

    def batch(self, number: int) -> ClipBatch:
        """See `EMOTEData`."""
        return self._training[number]

    def validation(self) -> Iterator[ClipBatch]:
        """See `EMOTEData`."""
        return (self._held_out[number] for number in range(self._num_validation))


def open_data(settings: EMOTESettings, folder: Path, seed: int) -> EMOTEData:
    """The data that `[data]` describes.

    Args:
        settings: the tables of a config file.
        folder: the data's folder.
        seed: of the training batches; held-out batches have a fixed one.

    Raises:
        InputError: something is missing in the folder.
    """
    if isinstance(settings.data, MEADData):
        return _open_mead(settings.data, settings.model.flint.num_expression, folder, seed)
    if isinstance(settings.data, MotionsData):
        return _open_motions(settings.data, settings.model, folder, seed)
    return _open_corpus(settings, settings.data, folder, seed)


def _open_motions(data: MotionsData, model: ModelSettings, folder: Path, seed: int) -> WindowedClips:
    clips = MotionFolder(folder, model.speakers, model.flint.num_expression)
    trained, held_out = clips.split(data.hold_out)

    def batches(numbers: Sequence[int], seed: int) -> ClipBatches:
        settings = WindowSettings(min(data.batch_size, len(numbers)), data.num_frames, seed)
        return ClipBatches(SelectedClips(clips, numbers), settings)

    return WindowedClips(batches(trained, seed), batches(held_out, VALIDATION_SEED), data.validation_batches)


def _open_mead(data: MEADData, num_expression: int, folder: Path, seed: int) -> WindowedClips:
    def batches(split, seed: int) -> ClipBatches:
        clips = MEADClips(
            folder,
            split,
            num_expression=num_expression,
            num_shape=data.num_shape,
            with_features=data.emotion_features,
            reconstruction=data.reconstruction,
            feature_method=data.feature_method,
            feature_dim=data.feature_dim,
            identities=PUBLISHED_SPLIT if data.published_split else None,
        )
        return ClipBatches(clips, WindowSettings(data.batch_size, data.num_frames, seed))

    return WindowedClips(batches("train", seed), batches("validation", VALIDATION_SEED), data.validation_batches)


def _open_corpus(settings: EMOTESettings, data: CorpusData, folder: Path, seed: int) -> CorpusBatches:
    encoder = settings.model.audio_encoder
    if not isinstance(encoder, LogMelEncoderConfig):
        encoder = LogMelEncoderConfig()  # Wav2Vec 2.0 does not use the batches' spectrogram

    plain = DrawSettings(batch_size=data.batch_size, num_frames=data.num_frames, amount=0.0)
    training = BatchSource(find_parts(folder, tuple(data.shares)), tuple(data.shares.values()), encoder, data, seed)
    equal = tuple(1.0 for _ in data.validation)
    held_out = BatchSource(find_parts(folder, data.validation), equal, encoder, plain, VALIDATION_SEED)
    return CorpusBatches(training, held_out, data.validation_batches)
