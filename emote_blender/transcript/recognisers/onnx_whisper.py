"""Whisper's way from a sound to tokens, step by step: it can be stopped, and gives a probability for each token.

onnx-asr has the graphs' inputs and outputs; its own loop reports neither the language nor how sure the model is. What
Whisper is unsure of on average is noise, music or an unknown language. The bound is that of Radford et al., "Robust
Speech Recognition via Large-Scale Weak Supervision", section 4.5.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import InputError
from ..language import AUTO

_LANGUAGE_TOKEN = re.compile(r"<\|([a-z]{2,3})\|>")
_MARKS_ONLY = re.compile(r"[Ġ()\[\]{}<>*#@^_`~|\\/=+]+")  # Ġ is a space; such tokens begin "(music)" and the like
_MARK = re.compile(r"[.,;:!?'\"…-]+")
_ENGLISH_ONLY_TOKENS = 51864  # vocabulary of the models ".en", whose prompt names no language
# Mean over an utterance. Measured with tiny.en: speech -0.1 to -0.5, German and French -1.7, noise and hum below -1.8.
_SURE_LOG_PROBABILITY = -1.0
_TOKENS_PER_SECOND = 40  # Tamil needs 20
_MAX_TOKENS = 224
_REPEATS, _REPEATED_TOKENS = 4, 8
# Whisper's languages by the code that others use.
_CODES = {"nb": "no", "cmn": "zh", "jv": "jw", "fil": "tl", "iw": "he", "in": "id"}
_TAGS = {"en": "en-us", "no": "nb", "zh": "cmn", "jw": "jv"}


@dataclass(frozen=True)
class Understood:
    """The tokens of an utterance.

    Attributes:
        words: each with the probability that it is right.
        language: code of the language, as tokens name it; "" for a model that knows English only.
    """

    words: tuple[tuple[str, float], ...]
    language: str


class WhisperDecoder:
    """The decoding of one Whisper model."""

    def __init__(self, model: Any) -> None:
        """Prepare the decoding.

        Args:
            model: a `WhisperHf` of onnx-asr.

        Raises:
            KeyError: if the vocabulary lacks Whisper's own tokens.
        """
        self._model = model
        tokens: dict[str, int] = model._tokens
        self._texts: dict[int, str] = model._vocab
        self._start, self._end = model._bos_token_id, model._eos_token_id
        self._task = tokens["<|transcribe|>"], tokens["<|notimestamps|>"]
        self._is_multilingual = model.config.get("vocab_size") != _ENGLISH_ONLY_TOKENS
        self._languages = {
            match[1]: token for name, token in tokens.items() if (match := _LANGUAGE_TOKEN.fullmatch(name))
        }
        self._suppressed = np.array(
            sorted(
                token
                for name, token in tokens.items()
                if token != self._end and (name.startswith("<|") or _MARKS_ONLY.fullmatch(name))
            )
        )

    @property
    def languages(self) -> tuple[str, ...] | None:
        """English for a model that knows nothing else; None for one that finds out what is spoken."""
        return None if self._is_multilingual else ("en",)

    def decode(self, samples: np.ndarray, language: str, check: Callable[[], None]) -> Understood:
        """The words of an utterance.

        Args:
            samples: (N,) float32 at 16 kHz, at most 30 s.
            language: tag of the language, or "auto".
            check: called before each token; what it raises ends the work.

        Raises:
            InputError: if Whisper does not know the language.
        """
        check()
        encoded = self._model._encode(samples[None], np.array([len(samples)]))
        code = self._language(language, encoded)
        tokens, log_probabilities = self._tokens(encoded, self._prompt(code), len(samples) / 16000, check)
        if np.mean(log_probabilities or [-np.inf]) < _SURE_LOG_PROBABILITY:
            return Understood((), code)
        return Understood(self._words(tokens, log_probabilities), code)

    def _language(self, language: str, encoded: Any) -> str:
        """The code of a language, or of the one that the model finds likeliest."""
        if not self._is_multilingual:
            return ""
        if language == AUTO:
            logits, _ = self._model._decode(np.array([[self._start]]), self._model._create_state(), encoded)
            return max(self._languages, key=lambda code: logits[0, -1, self._languages[code]])
        code = whisper_code(language)
        if code not in self._languages:
            raise InputError(f"Whisper does not know the language {language!r}; choose another or auto")
        return code

    def _prompt(self, code: str) -> list[int]:
        """What the decoder is given before the first word."""
        return [self._start, self._languages[code], *self._task] if code else [self._start, self._task[1]]

    def _tokens(
        self, encoded: Any, prompt: list[int], seconds: float, check: Callable[[], None]
    ) -> tuple[list[int], list[float]]:
        """The likeliest token each time, and its log-probability, until the model ends or repeats itself."""
        tokens, log_probabilities = list(prompt), []
        state = self._model._create_state()
        for _ in range(min(_MAX_TOKENS, 8 + round(_TOKENS_PER_SECOND * seconds))):
            check()
            logits, state = self._model._decode(np.array([tokens]), state, encoded)
            row = _log_softmax(logits[0, -1])
            row[self._suppressed[self._suppressed < len(row)]] = -np.inf
            best = int(row.argmax())
            if best == self._end:
                break
            tokens.append(best)
            log_probabilities.append(float(row[best]))
            if (repeated := _repeated(tokens[len(prompt) :])) > 0:
                kept = len(log_probabilities) - repeated
                return tokens[len(prompt) :][:kept], [*log_probabilities[:kept]]
        return tokens[len(prompt) :], log_probabilities

    def _words(self, tokens: list[int], log_probabilities: list[float]) -> tuple[tuple[str, float], ...]:
        """The words that the tokens spell, each with the geometric mean of its tokens' probabilities."""
        spelled: list[tuple[str, list[float]]] = []
        for token, log_probability in zip(tokens, log_probabilities, strict=True):
            text = self._texts.get(token, "")
            if text.startswith("Ġ") or not spelled:
                spelled.append(("", []))
            before, values = spelled[-1]
            # How sure the model is of a comma says nothing of the word.
            is_mark = bool(values) and _MARK.fullmatch(text)
            spelled[-1] = before + text.removeprefix("Ġ"), values if is_mark else [*values, log_probability]
        words = ((self._spelled(text), float(np.exp(np.mean(values)))) for text, values in spelled)
        return tuple((word, sure) for word, sure in words if any(letter.isalnum() for letter in word))

    def _spelled(self, text: str) -> str:
        """The text that a byte-level token stands for."""
        decoder = self._model._byte_decoder
        return bytes(decoder[letter] for letter in text if letter in decoder).decode("utf-8", "ignore").strip()


def whisper_code(language: str) -> str:
    """Whisper's code of a language tag: "zh" for "cmn" or "zh-TW"."""
    base = re.split(r"[-_]", language.lower())[0]
    return _CODES.get(base, base)


def tag_of_code(code: str) -> str:
    """The tag by which others know the language of Whisper's code."""
    return _TAGS.get(code, code)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """(V,) logarithms of the probabilities."""
    shifted = logits.astype(np.float64) - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def _repeated(tokens: list[int]) -> int:
    """How many tokens at the end only repeat those before, if so many do that the model runs in circles."""
    for length in range(1, len(tokens) // _REPEATS + 1):
        repeats = max(_REPEATS, -(-_REPEATED_TOKENS // length))
        tail = tokens[-length * repeats :]
        if len(tail) == length * repeats and tail == tail[-length:] * repeats:
            return length * (repeats - 1)
    return 0
