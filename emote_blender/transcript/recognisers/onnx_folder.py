"""Speech recognisers from a folder with an ONNX model, run by onnx-asr on ONNX Runtime. Nothing is ever downloaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import Cancelled, EmoteError, InputError, ModelError
from ...resampling import resample
from ...sample_store import Samples
from ..language import AUTO, guess_language
from .interface import IsCancelled, Progress, RecognisedWord, Recognition
from .onnx_families import ADVICE, OnnxModel, find_onnx_model
from .onnx_whisper import Understood, WhisperDecoder, tag_of_code, whisper_code
from .utterances import find_utterances, group_utterances

SAMPLE_RATE = 16000
# Utterances are recognised together up to this length: Whisper takes as long for one second as for thirty, and all
# models are surer with more around a word. But Whisper tells no times, so its words lie the looser the longer this is.
_TOGETHER_SECONDS, _LONGEST_PAUSE_SECONDS = 14.0, 2.0
_SHORTEST_SECONDS = 0.1  # what the models' statistics need
_LONGEST_WORD_END_SECONDS = 0.4  # after the start of a word's last token, whose end no model tells
_FATAL_ONLY = 4  # errors are raised, they need not be printed as well
_NO_MEMORY = "bad_alloc", "bad allocation", "Failed to allocate memory"  # in ONNX Runtime's errors
_LANGUAGE_NAME = re.compile(r"<\|([a-z]{2})\|>")


class OnnxFolderRecogniser:
    """A speech recogniser from a folder."""

    def __init__(self, folder: str | Path) -> None:
        """Load the model.

        Args:
            folder: folder with the files of a family that onnx-asr reads.

        Raises:
            ModelError: if it holds no such model, half of one, or one that cannot be run.
        """
        self._found = find_onnx_model(folder)
        try:
            self._model = _load(self._found)
            self._rate = int(self._model._get_sample_rate())
            self._whisper = (
                WhisperDecoder(self._model) if self._found.family.model_class.endswith("WhisperHf") else None
            )
        except EmoteError:
            raise
        except Exception as error:  # onnx-asr and ONNX Runtime raise errors of every kind for files that do not fit
            raise self._failure(error, "loaded", "download it again") from error

    @property
    def name(self) -> str:
        """Its name, for reports and menus."""
        return self._found.name

    @property
    def languages(self) -> tuple[str, ...] | None:
        """The languages that it understands; None if it finds out by itself, or if the files do not tell."""
        if self._whisper is not None and self._found.languages is None:
            return self._whisper.languages
        if self._found.languages is None and self._is_canary:
            return tuple(sorted(match[1] for name in self._model._tokens if (match := _LANGUAGE_NAME.fullmatch(name))))
        return self._found.languages

    def understands(self, language: str) -> bool:
        """Whether it understands a language, as far as is known; it does for "auto"."""
        known = self.languages
        return language == AUTO or known is None or whisper_code(language) in map(whisper_code, known)

    def recognise(
        self,
        samples: Samples,
        language: str = AUTO,
        progress: Progress | None = None,
        cancelled: IsCancelled | None = None,
    ) -> Recognition:
        """The words of a sound; see `Recogniser`.

        Raises:
            InputError: if the recogniser does not understand the language.
            ModelError: if the model fails.
            Cancelled: if `cancelled` returns True.
        """
        self._check_language(language)

        def check() -> None:
            if cancelled is not None and cancelled():
                raise Cancelled("cancelled; no words were recognised")

        words: list[RecognisedWord] = []
        spoken = language
        groups = list(
            group_utterances(find_utterances(samples, _TOGETHER_SECONDS), _TOGETHER_SECONDS, _LONGEST_PAUSE_SECONDS)
        )
        for number, stretches in enumerate(groups):
            if progress is not None:
                progress(number / len(groups), "Recognising the words")
            check()
            start, stop = stretches[0][0], stretches[-1][1]
            if stop - start < _SHORTEST_SECONDS * SAMPLE_RATE:
                continue
            piece = np.ascontiguousarray(samples[start:stop], dtype=np.float32)
            found, spoken = self._recognise_piece(piece, stretches, spoken, check)
            words.extend(found)
        if progress is not None:
            progress(1.0, "Recognising the words")
        text = " ".join(word.text for word in words)
        return Recognition(tuple(words), self._language_of(language, spoken, text), self.name)

    @property
    def _is_canary(self) -> bool:
        return self._found.family.model_class.endswith("AED")

    def _check_language(self, language: str) -> None:
        """Raise InputError if the recogniser does not understand the language."""
        if not self.understands(language):
            raise InputError(
                f"{self.name} understands {', '.join(self.languages or ())}, not {language}; choose one of them or "
                "another recogniser"
            )

    def _language_of(self, asked: str, spoken: str, text: str) -> str:
        """Tag of the language that was recognised."""
        if asked != AUTO:
            return asked
        if spoken != AUTO:
            return tag_of_code(spoken)
        if self.languages is not None and len(self.languages) == 1:
            return self.languages[0]
        return guess_language(text)

    def _recognise_piece(
        self, piece: np.ndarray, stretches: list[tuple[int, int]], language: str, check: Callable[[], None]
    ) -> tuple[list[RecognisedWord], str]:
        """The words of a few utterances, and the language: "auto" if it is still unknown.

        Args:
            piece: (N,) their samples.
            stretches: (start, stop) sample of each in the sound.
            language: what is known of the language so far.
            check: raises Cancelled if the user stopped the work.
        """
        try:
            if self._whisper is not None:
                understood = self._whisper.decode(piece, language, check)
                spoken = understood.language or "en"
                return _spread(understood, stretches), spoken if understood.words else language
            return self._by_onnx_asr(piece, stretches, language)
        except EmoteError:
            raise
        except Exception as error:  # of every kind, as above
            raise self._failure(error, "run", ADVICE) from error

    def _failure(self, error: Exception, step: str, advice: str) -> ModelError:
        """The error for a model that cannot be loaded or run."""
        if isinstance(error, MemoryError) or any(text in str(error) for text in _NO_MEMORY):
            megabytes = self._found.num_bytes // 1_000_000
            return ModelError(
                f"there is not enough memory for {self.name} ({megabytes} MB); close other programs, or choose a "
                "smaller recogniser"
            )
        return ModelError(f"{self._found.folder} cannot be {step} ({_reason(error)}); {advice}")

    def _by_onnx_asr(
        self, piece: np.ndarray, stretches: list[tuple[int, int]], language: str
    ) -> tuple[list[RecognisedWord], str]:
        """`_recognise_piece` for what onnx-asr decodes in one step."""
        if self._rate != SAMPLE_RATE:
            piece = resample(piece, SAMPLE_RATE, self._rate)
        options: dict[str, Any] = {"need_logprobs": "yes"}
        if self._is_canary:
            options["language"] = "en" if language == AUTO else whisper_code(language)
            language = options["language"]
        elif self._found.family.model_class.endswith("WhisperOrt") and language != AUTO:
            options["language"] = whisper_code(language)
        result = next(iter(self._model.recognize_batch(piece[None], np.array([len(piece)]), **options)))
        if result.tokens is None or result.timestamps is None:
            sure = _probability(result.logprobs)
            found = tuple((word, sure) for word in result.text.split())
            return _spread(Understood(found, ""), stretches), language
        start, stop = stretches[0][0] / SAMPLE_RATE, stretches[-1][1] / SAMPLE_RATE
        return _timed_words(result.tokens, result.timestamps, result.logprobs, start, stop), language


def _load(found: OnnxModel) -> Any:
    """The model in onnx-asr's class; its own loader, which can download, is left out."""
    try:
        import onnxruntime
        from onnx_asr.models import gigaam, kaldi, nemo, tone, whisper
        from onnx_asr.preprocessors import numpy_preprocessor
        from onnx_asr.preprocessors.preprocessor import IdentityPreprocessor
    except (ImportError, OSError, RuntimeError, AttributeError, SystemError) as error:
        raise ModelError(
            f"ONNX recognisers cannot run here ({_reason(error)}); install the add-on's zip for this system, or the "
            "Python libraries onnxruntime and onnx-asr"
        ) from error

    def make_preprocessor(name: str) -> Any:
        """What makes the features of a waveform, in numpy."""
        if name == "identity":
            return IdentityPreprocessor()
        kind = re.match("[a-z]*", name)
        return getattr(numpy_preprocessor, f"{kind[0].capitalize() if kind else name}PreprocessorNumpy")(name)

    modules = {"gigaam": gigaam, "kaldi": kaldi, "nemo": nemo, "tone": tone, "whisper": whisper}
    module, name = found.family.model_class.split(".")
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the cores are Blender's too
    providers = {"sess_options": options, "providers": ["CPUExecutionProvider"]}
    return getattr(modules[module], name)(found.files, make_preprocessor, providers)


def _spread(understood: Understood, stretches: list[tuple[int, int]]) -> list[RecognisedWord]:
    """Words without times, laid over the stretches of speech, each as long as its letters ask for."""
    starts = np.array([start for start, _ in stretches]) / SAMPLE_RATE
    lengths = np.array([stop - start for start, stop in stretches]) / SAMPLE_RATE
    ends = np.cumsum([0.0, *(len(word) + 1 for word, _ in understood.words)])
    spoken = ends / max(ends[-1], 1.0) * lengths.sum()  # seconds of speech, without the pauses
    before = np.cumsum(lengths) - lengths
    begins = np.clip(np.searchsorted(before, spoken[:-1], "right") - 1, 0, None)
    finishes = np.clip(np.searchsorted(before, spoken[1:], "left") - 1, 0, None)
    return [
        RecognisedWord(
            word,
            float(starts[begin] + spoken[index] - before[begin]),
            float(starts[finish] + spoken[index + 1] - before[finish]),
            sure,
        )
        for index, ((word, sure), begin, finish) in enumerate(zip(understood.words, begins, finishes, strict=True))
    ]


def _timed_words(
    tokens: list[str], times: list[float], log_probabilities: list[float] | None, start: float, stop: float
) -> list[RecognisedWord]:
    """Words of tokens with a time each; a space begins a new word.

    Args:
        tokens: pieces of text in the order of the sound.
        times: start of each token in seconds from the start of the piece.
        log_probabilities: of each token, or None.
        start: where the piece begins in the sound, seconds.
        stop: where it ends.
    """
    spelled: list[tuple[str, list[int]]] = []
    new = True
    for index, token in enumerate(tokens):
        for part in re.findall(r"\s|\S+", token):
            if part.isspace():
                new = True
            elif new:
                spelled.append((part, [index]))
                new = False
            else:
                spelled[-1] = spelled[-1][0] + part, [*spelled[-1][1], index]
    words = []
    for text, indices in spelled:
        if not any(letter.isalnum() for letter in text):
            continue
        last = indices[-1]
        following = times[last + 1] if last + 1 < len(times) else stop - start
        end = min(max(following, times[last]), times[last] + _LONGEST_WORD_END_SECONDS)
        # How sure the model is of a comma says nothing of the word.
        lettered = [index for index in indices if any(letter.isalnum() for letter in tokens[index])]
        sure = _probability([log_probabilities[index] for index in lettered] if log_probabilities else None)
        words.append(RecognisedWord(text, start + times[indices[0]], min(start + end, stop), sure))
    return words


def _probability(log_probabilities: list[float] | None) -> float:
    """Geometric mean of probabilities; 1 if they are not known or no logarithms of probabilities."""
    if not log_probabilities or max(log_probabilities) > 1e-3:
        return 1.0
    return float(np.exp(np.mean(log_probabilities)))


def _reason(error: BaseException) -> str:
    """The first line of an error, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
