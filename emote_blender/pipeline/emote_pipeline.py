"""Generation: a waveform and an emotion track to the motion of a face; long sound in windows."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..audio import Waveform
from ..emotion import EMOTIONS, EmotionTrack
from ..engine.interface import ClipStatistics, Engine
from ..engine.open_engine import DEFAULT_DEVICE, DEFAULT_ENGINE, open_engine
from ..errors import Cancelled, InputError, ModelError
from ..files.paths import DEFAULT_MODEL, find_model
from ..motion import FaceMotion
from ..motion_tools.prosody import measure_prosody
from ..motion_tools.raw_take import Prosody
from ..sample_store import Samples
from ..sound_files.mixing import SILENCE_PEAK
from ..speech_model.config import EMOTEConfig
from ..transcript.automatic import recognise_words
from ..transcript.following import FollowedTranscript, follow_script
from ..transcript.language import AUTO
from ..transcript.phones import CLASSES
from ..transcript.recognisers.interface import Recognition
from ..transcript.report import TranscriptReport
from ..transcript.script import Script, prepare
from ..transcript.text import transcript_of_text
from ..transcript.timed_transcript import TimedTranscript
from ..version import package_version
from .rendered_windows import RenderedWindows
from .windows import Window, check_window_frames, plan_windows

logger = logging.getLogger(__name__)

Progress = Callable[[float, str], None]
IsCancelled = Callable[[], bool]

_PIECE_SAMPLES = 1 << 20  # of a long sound, read at a time
_RECOGNITION = 0.7  # share of the progress: words are recognised at a tenth of real time or slower
_ROUNDING = 0.01  # a part of a frame below this is rounding, such as one sample too many


@dataclass(frozen=True, eq=False)
class AudioFeatures:
    """The audio features of a clip; they serve any emotion and speaker.

    Attributes:
        values: (before + T + after, D) float32, one row per frame of motion, and of silence around it.
        fps: frames per second.
        model: name of the model whose encoder made them.
        padding: frames of silence (before, after), which `generate` drops from the motion.
        transcript_report: how well the transcript matches the clip, or None without a transcript.
        recognition: the words that were recognised, if the transcript is "auto". A cache does not keep them.
        prosody: loudness and pitch of the clip, T frames, for blinks, gaze and head motion.
    """

    values: np.ndarray
    fps: int
    model: str
    padding: tuple[int, int] = (0, 0)
    transcript_report: TranscriptReport | None = None
    prosody: Prosody | None = None
    recognition: Recognition | None = None

    @property
    def num_frames(self) -> int:
        """T, the number of frames of the clip."""
        return len(self.values) - sum(self.padding)

    @property
    def duration_seconds(self) -> float:
        """Length in seconds, each frame lasting 1 / fps."""
        return self.num_frames / self.fps


class EMOTEPipeline:
    """A speech model, ready to use. The same input gives the same output."""

    def __init__(self, engine: Engine, window_frames: int | None = None) -> None:
        """Make a pipeline of a model that an engine has loaded.

        Args:
            engine: the engine; for a torch model, `emote_blender.engine.torch.TorchEngine(model)`.
            window_frames: longest window of a clip that is encoded at once; None for the encoder's default.

        Raises:
            ModelError: if the model's emotions are not those of an emotion track.
            ValueError: if windows of this length cannot overlap (see `windows.check_window_frames`).
        """
        encoder = engine.config.audio_encoder
        window_frames = encoder.window_frames if window_frames is None else window_frames
        check_window_frames(window_frames, encoder.window_overlap, engine.config.flint.frames_per_latent)
        self.engine = engine
        self._window_frames = window_frames
        _check_emotions(engine.config)

    @classmethod
    def from_pretrained(
        cls, model: str = DEFAULT_MODEL, engine: str = DEFAULT_ENGINE, device: str = DEFAULT_DEVICE
    ) -> EMOTEPipeline:
        """The pipeline of a model, by its name (see `files.paths`) or folder.

        Args:
            model: name or folder.
            engine: "onnx", or "torch" if torch is installed.
            device: "cpu"; for the engine torch also "cuda" or "mps".

        Raises:
            InputError: if there is no such engine, or the engine cannot use the device.
            ModelError: if there is no such model, the model is damaged, or a library is not installed.
        """
        return cls(open_engine(find_model(model), engine, device))

    @property
    def config(self) -> EMOTEConfig:
        """The model's configuration."""
        return self.engine.config

    def encode(
        self,
        waveform: Waveform,
        progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
        *,
        transcript: str | TimedTranscript | None = None,
        language: str = AUTO,
        recogniser: str = "",
        complete: bool = False,
    ) -> AudioFeatures:
        """Features of a clip, T = floor(seconds * fps) frames; a last partial frame is dropped (spec 2).

        Args:
            waveform: any sample rate.
            progress: called with a fraction 0 to 1 and a text.
            cancelled: called before each window.
            transcript: the spoken words, with or without times that count from the start of the sound; a text may have
                markup or be that of subtitles (see `transcript_of_text`). The mouth follows those that match the sound
                (see `transcript_report`). "auto" recognises them (see
                `recognition`), and follows the sound alone if there are none or the model cannot use a transcript.
            language: language of the transcript: a tag or a name (de, en-GB, "German"), or "auto" to guess it.
            recogniser: folder of a speech recogniser for the transcript "auto"; "" for the one that is built in.
            complete: complete a last partial frame with silence instead of dropping it: T = ceil(seconds * fps). A
                motion that lasts as long as the sound at any frame rate needs it.

        Raises:
            InputError: if the clip is shorter than one frame, or the transcript or its language cannot be used.
            ModelError: if the model cannot use a transcript, espeak-ng is not installed, or there is no recogniser for
                the language.
            Cancelled: if `cancelled` returns True.
        """
        config = self.config
        script = recognition = None
        if transcript == AUTO:
            if uses_transcript(config):
                steps = _share(progress, 0.0, _RECOGNITION), cancelled
                recognition = recognise_words(waveform, language, recogniser, *steps)
                script = _script_of(recognition, cancelled)
                progress = _share(progress, _RECOGNITION, 1.0)
            else:
                logger.warning("the model %s cannot use a transcript; the sound alone is followed", config.name)
        elif transcript is not None:
            require_transcript_use(config)
            script = prepare(transcript_of_text(transcript) if isinstance(transcript, str) else transcript, language)
        sound = waveform.resampled(config.sample_rate).samples
        num_frames = self._num_frames(sound, complete)
        clip = self._clip(sound, num_frames)
        padding = clip.padding
        values = np.zeros((num_frames + sum(padding), config.audio_encoder.dim), dtype=np.float32)
        phones, report = None, None
        if script is not None:
            followed = self._follow(clip, script, _share(progress, 0.0, 0.5), cancelled)
            phones, report = followed.phones, followed.report
            progress = _share(progress, 0.5, 1.0)
        for window in _reported(clip.windows, "Listening to the speech", progress, cancelled):
            part = clip.part(window, config.samples_per_frame)
            given = None if phones is None else phones[2 * window.start : 2 * window.stop]
            window.add_to(values, self.engine.encode(part, window.num_frames, clip.statistics_of(window), given))
        prosody = measure_prosody(sound, config.sample_rate, num_frames, config.fps)
        return AudioFeatures(values, config.fps, config.name, padding, report, prosody, recognition)

    def generate(
        self,
        features: AudioFeatures,
        track: EmotionTrack,
        speaker: str | None = None,
        progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
        *,
        rendered: RenderedWindows | None = None,
    ) -> FaceMotion:
        """The motion of a face that speaks the clip of the features with the emotion of the track.

        Args:
            features: from `encode` of the same model.
            track: emotion over time.
            speaker: style of speaking, by the name of one of the model's speakers; None for its first.
            progress: called with a fraction 0 to 1 and a text.
            cancelled: called before each window.
            rendered: windows of these features that were rendered before; new ones are added.

        Raises:
            InputError: if the speaker is unknown.
            Cancelled: if `cancelled` returns True.
            ValueError: if the features are those of another model.
        """
        config = self.config
        if features.model != config.name or features.values.shape[1] != config.audio_encoder.dim:
            raise ValueError(f"features of {features.model}, shape {features.values.shape}, given to {config.name}")
        speaker = self._speaker_name(speaker)
        before, after = features.padding
        condition = np.pad(self._condition(features, track, speaker), ((before, after), (0, 0)), mode="edge")
        motion = np.zeros((len(condition), config.flint.num_features), dtype=np.float32)
        windows = self._plan_windows(len(condition))
        for window in _reported(windows, "Animating the face", progress, cancelled):
            part = slice(window.start, window.stop)
            render = functools.partial(self.engine.motion, features.values[part], condition[part])
            known = rendered and rendered.motion(window.start, condition[part], render)
            window.add_to(motion, render() if known is None else known)
        motion = motion[before : before + features.num_frames]
        meta = {
            "model": config.name,
            "face": config.face,
            "expression_names": list(config.expression_names) if config.expression_names else None,
            "speaker": speaker,
            "licence": config.licence,
            "version": package_version(),
            **describe_track(track),
        }
        if features.transcript_report is not None:
            meta["transcript"] = features.transcript_report.summary()
        return FaceMotion(motion[:, : config.num_expression], motion[:, config.num_expression :], config.fps, meta=meta)

    def phone_posteriors(self, waveform: Waveform) -> np.ndarray:
        """(2 T, C) float32 probability of each phone class at 50 Hz, from the sound alone; T as in `encode`.

        Raises:
            InputError: if the clip is shorter than one frame.
            ModelError: if the model's encoder has no phone head.
        """
        require_transcript_use(self.config)
        sound = waveform.resampled(self.config.sample_rate).samples
        return self._posteriors(self._clip(sound, self._num_frames(sound)))

    def _num_frames(self, sound: Samples, complete: bool = False) -> int:
        """T, the number of frames of a sound; raises InputError if it is shorter than one."""
        config = self.config
        num_frames = len(sound) // config.samples_per_frame
        if complete and num_frames:
            num_frames = math.ceil(len(sound) / config.samples_per_frame - _ROUNDING)
        if num_frames == 0:
            raise InputError(
                f"the sound lasts {1000 * len(sound) / config.sample_rate:.0f} ms, less than one frame; "
                f"use one of at least {1000 / config.fps:.0f} ms"
            )
        return num_frames

    def _clip(self, sound: Samples, num_frames: int) -> _Clip:
        """The first `num_frames` frames of a sound as input of the engine."""
        padding = _padding(num_frames, self.config)
        samples = _PaddedSamples(sound, num_frames, padding, self.config.samples_per_frame)
        windows = self._plan_windows(num_frames + sum(padding))
        statistics = self.engine.clip_statistics(samples) if len(windows) > 1 else None
        return _Clip(samples, windows, statistics, padding)

    def _follow(
        self, clip: _Clip, script: Script, progress: Progress | None, cancelled: IsCancelled | None
    ) -> FollowedTranscript:
        """The transcript as given phones (2 (before + T + after), C), aligned over the whole clip."""
        before, after = clip.padding
        followed = follow_script(self._posteriors(clip, progress, cancelled), script, cancelled)
        return replace(followed, phones=np.pad(followed.phones, ((2 * before, 2 * after), (0, 0))))

    def _posteriors(
        self, clip: _Clip, progress: Progress | None = None, cancelled: IsCancelled | None = None
    ) -> np.ndarray:
        """(2 T, C) phone posteriors of a clip, without its padding."""
        before, after = clip.padding
        num_frames = clip.windows[-1].stop
        posteriors = np.zeros((num_frames, 2 * len(CLASSES)), dtype=np.float32)
        for window in _reported(clip.windows, "Comparing speech and transcript", progress, cancelled):
            part = clip.part(window, self.config.samples_per_frame)
            classes = self.engine.phone_posteriors(part, window.num_frames, clip.statistics_of(window))
            window.add_to(posteriors, classes.reshape(window.num_frames, -1))
        return posteriors[before : num_frames - after].reshape(-1, len(CLASSES))

    def _plan_windows(self, num_frames: int) -> list[Window]:
        """The windows of a clip."""
        config = self.config
        overlap = config.audio_encoder.window_overlap
        return plan_windows(num_frames, config.flint.frames_per_latent, self._window_frames, overlap)

    def _speaker_name(self, speaker: str | None) -> str:
        """The speaker's name; raises InputError with the model's speakers if it is unknown."""
        speakers = self.config.speakers
        if not speaker:
            return speakers[0]
        if speaker not in speakers:
            raise InputError(
                f"unknown speaker {speaker!r}; the model {self.config.name} knows {', '.join(speakers)}; choose one"
            )
        return speaker

    def _condition(self, features: AudioFeatures, track: EmotionTrack, speaker: str) -> np.ndarray:
        """Condition (T, C): emotions in the model's order, intensities, speakers."""
        emotion, intensity = track.condition(features.num_frames, features.fps)
        emotion = emotion[:, [EMOTIONS.index(name) for name in self.config.emotions]]
        identity = np.zeros((features.num_frames, len(self.config.speakers)), dtype=np.float32)
        identity[:, self.config.speakers.index(speaker)] = 1.0
        return np.concatenate([emotion, intensity, identity], axis=1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Clip:
    """A clip as input of the engine.

    Attributes:
        samples: (N,) samples with padding.
        windows: the windows of its frames.
        statistics: from `Engine.clip_statistics`; None if there is only one window.
        padding: frames of silence (before, after).
    """

    samples: Samples
    windows: list[Window]
    statistics: ClipStatistics | None
    padding: tuple[int, int]

    def statistics_of(self, window: Window) -> ClipStatistics | None:
        """The statistics by which a window is encoded; None if it is the whole clip."""
        return None if self.statistics is None else self.statistics.from_frame(window.start)

    def part(self, window: Window, samples_per_frame: int) -> np.ndarray:
        """The samples of a window."""
        return self.samples[window.start * samples_per_frame : window.stop * samples_per_frame]


class _PaddedSamples:
    """Whole frames of a sound with frames of silence before and after, read by slices.

    All samples are zero if the sound is not louder than noise, which Wav2Vec 2.0's normalisation would amplify to the
    level of speech.
    """

    def __init__(self, sound: Samples, num_frames: int, padding: tuple[int, int], samples_per_frame: int) -> None:
        self._sound = sound
        self._begin = padding[0] * samples_per_frame
        self._end = self._begin + num_frames * samples_per_frame
        self._length = self._end + padding[1] * samples_per_frame
        self._is_silent = _is_silent(sound, num_frames * samples_per_frame)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice) -> np.ndarray:
        start, stop, _ = part.indices(self._length)
        samples = np.zeros(stop - start, np.float32)
        first, last = max(start, self._begin), min(stop, self._end)
        if first < last and not self._is_silent:
            sound = self._sound[first - self._begin : last - self._begin]  # shorter in a completed last frame
            samples[first - start : first - start + len(sound)] = sound
        return samples


def _script_of(recognition: Recognition, cancelled: IsCancelled | None) -> Script | None:
    """The recognised words as a transcript; None if there are none, or espeak-ng cannot speak them."""
    if not recognition.words:
        return None
    try:
        script = prepare(recognition.text, recognition.language)
        script.pronunciation(script.words(script.passages[:1], cancelled))
    except InputError as error:
        logger.warning("the recognised words are not followed: %s", error)
        return None
    return script


def describe_track(track: EmotionTrack) -> dict[str, Any]:
    """The metadata of a track: `emotion`, `intensity` and, if they change, `emotion_track` with every key.

    `emotion` is a name, or "mixed"; `intensity` is a number, or None if it changes.
    """
    names = {EMOTIONS[int(np.argmax(row))] if row.max() > 1 - 1e-6 else "mixed" for row in track.emotion_weights}
    intensities = {float(value) for value in track.intensity}
    description: dict[str, Any] = {
        "emotion": names.pop() if len(names) == 1 else "mixed",
        "intensity": intensities.pop() if len(intensities) == 1 else None,
    }
    if description["emotion"] == "mixed" or description["intensity"] is None:
        description["emotion_track"] = {
            "times_seconds": track.times.tolist(),
            "emotion_weights": track.emotion_weights.tolist(),
            "intensity": track.intensity.tolist(),
        }
    return description


def uses_transcript(config: EMOTEConfig) -> bool:
    """Whether the model's encoder has a phone head, which a transcript needs."""
    return config.audio_encoder.num_phones == len(CLASSES)


def require_transcript_use(config: EMOTEConfig) -> None:
    """Raise ModelError if the model cannot use a transcript."""
    if not uses_transcript(config):
        raise ModelError(
            f"the model {config.name} cannot use a transcript; leave the transcript out or choose {DEFAULT_MODEL}"
        )


def _check_emotions(config: EMOTEConfig) -> None:
    """Raise ModelError unless the model's emotions and intensities are those of emotion tracks."""
    if sorted(config.emotions) != sorted(EMOTIONS) or config.intensities != 3:
        raise ModelError(
            f"the model {config.name} has the emotions {', '.join(config.emotions)} at {config.intensities} "
            f"intensities; use one with {', '.join(EMOTIONS)} at 3"
        )


def _padding(num_frames: int, config: EMOTEConfig) -> tuple[int, int]:
    """Frames of silence (before, after) a clip for the model's encoder.

    If the encoder has any, the padded clip is a multiple of a latent long: the motion prior distorts the face a little
    at both ends of its input, and where a latent is incomplete.
    """
    frames, multiple = config.audio_encoder.padding_frames, config.flint.frames_per_latent
    if not frames:
        return 0, 0
    before = -(-frames // multiple) * multiple
    return before, before + -num_frames % multiple


def _is_silent(sound: Samples, num_samples: int) -> bool:
    """Whether the first `num_samples` are not louder than noise, apart from a constant offset."""
    highest, lowest, total = -np.inf, np.inf, 0.0
    for start in range(0, num_samples, _PIECE_SAMPLES):
        piece = sound[start : min(start + _PIECE_SAMPLES, num_samples)]
        highest, lowest = max(highest, float(piece.max())), min(lowest, float(piece.min()))
        total += float(piece.sum(dtype=np.float64))
    mean = total / num_samples
    return max(highest - mean, mean - lowest) < SILENCE_PEAK


def _share(progress: Progress | None, start: float, end: float) -> Progress | None:
    """A progress function for a part of the work, from `start` to `end` of the whole."""
    return progress and (lambda fraction, text: progress(start + fraction * (end - start), text))


def _reported(windows: list[Window], text: str, progress: Progress | None, cancelled: IsCancelled | None):
    """The windows in order, with progress before each and at the end; raises Cancelled."""
    for index, window in enumerate(windows):
        if cancelled is not None and cancelled():
            raise Cancelled("cancelled; nothing was written")
        if progress is not None:
            progress(index / len(windows), text)
        yield window
    if progress is not None:
        progress(1.0, text)
