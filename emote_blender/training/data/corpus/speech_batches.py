"""The corpus as training batches: windows of speech with their phones, and the motion under a condition.

Batch number `n` depends only on the seed and `n`. So a run that was stopped continues as if it had not been, and
batches can be made ahead of time in other processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from ....audio import FRAME_SAMPLES
from ....emote.log_mel import LogMelEncoder
from ....emotion import NUM_INTENSITIES, intensity_levels
from ....speech_model.config import LogMelEncoderConfig
from ...corpus import phones
from ...corpus.motion import articulation, emotion_styles
from ...corpus.motion.liveliness import LIVELY
from ..augment.other_sounds import background, disturbed
from ..augment.spectrum import mask, mix_cepstra, shift_formants, vary_contrast
from ..augment.waveform import augment
from ..clip_batch import LABELS_PER_FRAME, ClipBatch
from .parts import SpeechPart, load_part

EMOTIONS = tuple(emotion_styles.EMOTIONS)
SPEAKERS = tuple(emotion_styles.SPEAKERS)


# ---------------------------------------------------------------- windows


@dataclass(frozen=True, eq=False)
class Window:
    """T frames of speech at 25 fps.

    Attributes:
        samples: (640 T,) waveform at 16 kHz in [-1, 1].
        articulation: (T, 7) channels of `articulation.tracks`.
        loudness: (T,), see `emotion_styles.loudness`.
        labels: (2 T,) int64 phone classes at 50 Hz.
        utterance: number, in its part, of the utterance that the window begins with.
    """

    samples: np.ndarray
    articulation: np.ndarray
    loudness: np.ndarray
    labels: np.ndarray
    utterance: int = 0


def draw_window(
    part: SpeechPart, num_frames: int, rng: np.random.Generator, change_speed: bool = True, utterances: int = 0
) -> Window:
    """A random window of a part.

    It begins at the start of an utterance, after a short silence, or within the utterance. Pauses and the following
    utterances fill the rest.

    Args:
        part: where it is taken from.
        num_frames: its length T.
        rng: random numbers.
        change_speed: resample four windows of five to a speed of exp(-0.2) to exp(0.22), which changes the pitch too.
        utterances: use only the part's first so many utterances; 0: all.
    """
    speed = float(np.exp(rng.uniform(-0.2, 0.22))) if change_speed and rng.random() < 0.8 else 1.0
    needed = int(np.ceil(num_frames * speed)) + 2
    samples = np.zeros(needed * FRAME_SAMPLES, np.float32)
    tracks = np.zeros((needed, len(articulation.CHANNELS)), np.float32)
    loudness = np.zeros(needed, np.float32)
    labels = np.full(needed * LABELS_PER_FRAME, phones.SILENCE, np.int64)

    num_utterances = min(utterances, part.num_utterances) if utterances else part.num_utterances
    first = index = int(rng.integers(num_utterances))
    length = int(part.offsets[index + 1] - part.offsets[index])
    skip = int(rng.integers(max(1, length - 25))) if rng.random() < 0.55 else 0
    position = 0 if skip else int(rng.integers(20))
    while position < needed - 10:
        begin, end = int(part.offsets[index]) + skip, int(part.offsets[index + 1])
        count = min(end - begin, needed - position)
        into, source = slice(position, position + count), slice(begin, begin + count)
        samples[_scaled(into, FRAME_SAMPLES)] = part.samples[_scaled(source, FRAME_SAMPLES)]
        tracks[into], loudness[into] = part.articulation[source], part.loudness[source]
        labels[_scaled(into, LABELS_PER_FRAME)] = part.labels[_scaled(source, LABELS_PER_FRAME)]
        position += count + int(rng.integers(3, 25))
        index, skip = (index + 1) % num_utterances, 0
        if rng.random() < 0.4:
            break
    samples /= 32768
    if speed == 1.0:
        return Window(
            samples[: num_frames * FRAME_SAMPLES],
            tracks[:num_frames],
            loudness[:num_frames],
            labels[: 2 * num_frames],
            first,
        )
    positions = np.arange(num_frames * FRAME_SAMPLES) * speed
    frames = (np.arange(num_frames) + 0.5) * speed - 0.5  # frame k stands for time (k + 0.5) / 25
    lower = np.clip(frames.astype(int), 0, needed - 2)
    share = np.clip(frames - lower, 0, 1).astype(np.float32)
    nearest = ((np.arange(LABELS_PER_FRAME * num_frames) + 0.5) * speed).astype(int)
    return Window(
        np.interp(positions, np.arange(len(samples)), samples).astype(np.float32),
        tracks[lower] * (1 - share[:, None]) + tracks[lower + 1] * share[:, None],
        loudness[lower] * (1 - share) + loudness[lower + 1] * share,
        labels[nearest],
        first,
    )


def background_window(window: Window, rng: np.random.Generator) -> Window:
    """A window as long as another one in which nobody speaks: a sound that is no voice, and the mouth at rest."""
    return Window(
        background(len(window.samples), rng),
        np.zeros_like(window.articulation),
        np.zeros_like(window.loudness),
        np.full_like(window.labels, phones.SILENCE),
        window.utterance,
    )


def _scaled(span: slice, factor: int) -> slice:
    return slice(span.start * factor, span.stop * factor)


# ---------------------------------------------------------------- conditions and targets


@dataclass(frozen=True, eq=False)
class ConditionedMotion:
    """The motion of a face and the condition that it was made under.

    Attributes:
        motion: (T, E + 3) expression components, then jaw axis-angle in radians.
        condition: (T, C) emotion, intensity and speaker columns, as `EMOTE.latents` takes them.
    """

    motion: np.ndarray
    condition: np.ndarray


def condition_columns(emotion: np.ndarray, intensity: np.ndarray, speaker: str) -> np.ndarray:
    """The condition (T, C) of each frame: emotion, intensity and speaker columns.

    Args:
        emotion: (T, 8) weights of the emotions.
        intensity: (T,) from 0 to 2; its weight is divided between the two nearest levels.
        speaker: one of `SPEAKERS`; one-hot.
    """
    speakers = np.zeros((len(intensity), len(SPEAKERS)))
    speakers[:, SPEAKERS.index(speaker)] = 1
    return np.concatenate([emotion, intensity_levels(intensity), speakers], 1).astype(np.float32)


def conditioned_motion(window: Window, emotion: str, intensity: float, speaker: str) -> ConditionedMotion:
    """The motion of a window under one constant condition; brows and cheeks follow the voice (`LIVELY`)."""
    expression, jaw = emotion_styles.face(window.articulation, window.loudness, emotion, intensity, speaker, LIVELY)
    weights = np.tile(np.eye(len(EMOTIONS))[EMOTIONS.index(emotion)], (len(jaw), 1))
    condition = condition_columns(weights, np.full(len(jaw), intensity), speaker)
    return ConditionedMotion(np.concatenate([expression, jaw], 1), condition)


def draw_motion(window: Window, rng: np.random.Generator) -> ConditionedMotion:
    """The motion of a window under a random emotion, intensity (continuous, 0 to 2) and speaker.

    In one of six windows the condition blends into a second one, or is a constant mixture of two, as in emotion tracks.
    """
    speaker = SPEAKERS[rng.integers(len(SPEAKERS))]

    def draw() -> tuple[str, float]:
        intensity = float(rng.integers(NUM_INTENSITIES)) if rng.random() < 0.4 else rng.uniform(0, 2)
        return EMOTIONS[rng.integers(len(EMOTIONS))], intensity

    emotion, intensity = draw()
    first = conditioned_motion(window, emotion, intensity, speaker)
    if rng.random() > 1 / 6:
        return first
    other_emotion, other_intensity = draw()
    second = conditioned_motion(window, other_emotion, other_intensity, speaker)
    frames = len(window.loudness)
    if rng.random() < 0.5:
        share = np.full(frames, rng.uniform())
    else:
        share = np.clip((np.arange(frames) - rng.integers(frames)) / rng.uniform(4, 30), 0, 1)
    share = share[:, None].astype(np.float32)
    emotions = slice(0, len(EMOTIONS))
    weights = first.condition[:, emotions] * (1 - share) + second.condition[:, emotions] * share
    intensities = intensity * (1 - share[:, 0]) + other_intensity * share[:, 0]
    return ConditionedMotion(
        first.motion * (1 - share) + second.motion * share, condition_columns(weights, intensities, speaker)
    )


# ---------------------------------------------------------------- batches


@dataclass(frozen=True, kw_only=True)
class DrawSettings:
    """How windows of the corpus are drawn and augmented.

    Attributes:
        batch_size: windows in a batch.
        num_frames: frames of a window.
        amount: strength of waveform augmentation and masking, 0 to 1 (see `augment.waveform.augment`).
        formant_shift: fraction of windows whose mel axis is warped, as by another length of the vocal tract.
        formant_range: the warp factor is at most exp(formant_range).
        formant_bend: how much more, or less, the axis is warped at its ends.
        contrast: fraction of windows whose spectrum is sharpened or blurred.
        mixing: strength of the random linear map of the cepstra (see `augment.spectrum.mix_cepstra`).
        masks: how often a band and a stretch of time of a window may be masked.
        told: fraction of windows in which the encoder receives ground-truth phones, as from a transcript.
        utterances: use only the first so many utterances of each part; 0: all.
        one_emotion: speak each utterance under one condition only, as in a recorded data set.
        backgrounds: fraction of windows without a voice: noise, hum, music or breath, and a mouth at rest.
        disturbances: fraction of windows with loud impulses, or a step or fade of the level.
    """

    batch_size: int = 16
    num_frames: int = 96
    amount: float = 0.4
    formant_shift: float = 0.0
    formant_range: float = 0.12
    formant_bend: float = 0.0
    contrast: float = 0.0
    mixing: float = 0.0
    masks: int = 1
    told: float = 0.0
    utterances: int = 0
    one_emotion: bool = False
    backgrounds: float = 0.0
    disturbances: float = 0.0


@dataclass(frozen=True)
class BatchSource:
    """Where batches come from.

    Attributes:
        folders: prepared parts.
        shares: relative frequency of each part.
        encoder: its log-mel front end computes the spectrograms.
        drawing: how windows are drawn and augmented.
        seed: of all random numbers.
    """

    folders: tuple[Path, ...]
    shares: tuple[float, ...]
    encoder: LogMelEncoderConfig
    drawing: DrawSettings = DrawSettings()
    seed: int = 0


class SpeechBatches(Dataset):
    """Training batches by number; batch `n` depends only on the source's seed and `n`."""

    def __init__(self, source: BatchSource) -> None:
        self.source = source
        self._parts: list[SpeechPart] | None = None
        self._front_end: LogMelEncoder | None = None

    def __getitem__(self, number: int) -> ClipBatch:
        source, drawing = self.source, self.source.drawing
        if self._parts is None or self._front_end is None:  # opened at first use: a worker process has its own
            self._parts = [load_part(folder) for folder in source.folders]
            self._front_end = LogMelEncoder(source.encoder)
        rng = np.random.default_rng([source.seed, number])
        noise = torch.Generator().manual_seed(int(rng.integers(2**62)))
        shares = np.asarray(source.shares) / np.sum(source.shares)
        chosen = rng.choice(len(self._parts), drawing.batch_size, p=shares)
        change_speed = drawing.amount > 0
        windows = [
            draw_window(self._parts[i], drawing.num_frames, rng, change_speed, drawing.utterances) for i in chosen
        ]
        if drawing.backgrounds > 0:
            windows = [background_window(w, rng) if rng.random() < drawing.backgrounds else w for w in windows]
        if drawing.one_emotion:
            own = [np.random.default_rng([part, window.utterance]) for part, window in zip(chosen, windows)]
        else:
            own = [rng] * len(windows)
        motions = [draw_motion(window, generator) for window, generator in zip(windows, own)]
        samples = augment(torch.from_numpy(np.stack([w.samples for w in windows])), drawing.amount, noise)
        if drawing.disturbances > 0:  # after the augmentation, which levels windows by their peak
            for clip in samples.numpy():
                if rng.random() < drawing.disturbances:
                    clip[:] = disturbed(clip, rng)
        with torch.no_grad():
            mel = self._front_end.log_mel(samples, drawing.num_frames)
        mel = shift_formants(mel, drawing.formant_shift, drawing.formant_range, drawing.formant_bend, rng)
        mel = vary_contrast(mel, drawing.contrast, rng)
        mel = mix_cepstra(mel, drawing.mixing, rng)
        mask(mel, drawing.amount, drawing.masks, rng)
        labels = np.stack([w.labels for w in windows])
        return ClipBatch(
            samples=samples,
            motion=torch.from_numpy(np.stack([m.motion for m in motions])),
            condition=torch.from_numpy(np.stack([m.condition for m in motions])),
            valid=torch.ones(len(windows), drawing.num_frames, dtype=torch.bool),
            mel=mel,
            labels=torch.from_numpy(labels),
            phones=torch.from_numpy(_given_phones(labels, drawing.told, source.encoder.num_phones, rng))
            if drawing.told
            else None,
            articulation=torch.from_numpy(np.stack([w.articulation for w in windows])),
        )


def _given_phones(labels: np.ndarray, share: float, num_phones: int, rng: np.random.Generator) -> np.ndarray:
    """(B, L, num_phones) labels (B, L) as one-hot rows in a fraction `share` of the clips; zeros in the others.

    In half of these clips only a stretch is given. Each boundary is up to 20 ms early or late, as an aligner's are.
    """
    given = np.zeros((*labels.shape, num_phones), np.float32)
    length = labels.shape[1]
    for row, clip in zip(labels, given, strict=True):
        if rng.random() >= share:
            continue
        segment = np.concatenate([[0], np.cumsum(np.diff(row) != 0)])
        late = rng.integers(-1, 2, length)[segment]
        moved = row[np.clip(np.arange(length) + late, 0, length - 1)]
        first, last = sorted(rng.integers(0, length + 1, 2)) if rng.random() < 0.5 else (0, length)
        clip[np.arange(first, last), moved[first:last]] = 1.0
    return given
