"""Speech from hibari: one neural voice, distilled from Kokoro's, as a spectrum that can be warped to other speakers.

The package `hibari-tts` contains the network, the pronunciation of English and the synthesis from the spectrum.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..text.short_and_long_texts import english_text
from . import onnx_voice
from .neural_sound import NeuralSound, labelled_utterance
from .pause_cutting import symbol_times
from .utterance import Utterance

PACKAGES = ("hibari-tts", "onnx")
_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"  # of the network
_DURATIONS = "/Clip_output_0"  # in the network's graph
_SAMPLE_RATE = 24000
_HOP = 600  # samples, of the durations; that of the sound is half of it
_LONGEST_TEXT = 400  # symbols


class Hibari:
    """The voice. One instance can speak many texts."""

    def __init__(self) -> None:
        import hibari
        import onnx
        from hibari import dsp
        from hibari.g2p import G2P

        assets = Path(hibari.__file__).parent / "assets"
        network = onnx_voice.check_digest((assets / "hibari.onnx").read_bytes(), _SHA256, "hibari.onnx of hibari-tts")
        self._session = onnx_voice.session(onnx_voice.with_output(onnx.load_from_string(network), _DURATIONS))
        self._vocabulary = json.loads((assets / "vocab.json").read_text(encoding="utf-8"))
        self._pronounce = G2P()
        self._synthesise = dsp.synth

    def speak(self, text: str, speed: float, pitch: float, tract: float, generator: np.random.Generator) -> NeuralSound:
        """The sound of a text.

        Args:
            text: English.
            speed: relative to the voice's own.
            pitch: factor of the fundamental frequency.
            tract: factor of the length of the vocal tract; formants are lower if it is longer.
            generator: of the noise in unvoiced sounds.
        """
        symbols = [symbol for symbol in self._pronounce(text) if symbol in self._vocabulary][:_LONGEST_TEXT]
        numbers = [0, *(self._vocabulary[symbol] for symbol in symbols), 0]
        outputs = self._session.run(
            None, {"ids": np.array([numbers], np.int64), "speed": np.array([speed], np.float32)}
        )
        harmonic, angle, noise, free, phase, frequency = (output[0] for output in outputs[:6])
        harmonic, noise, free = (_warped(part, tract) for part in (harmonic, noise, free))
        samples = self._synthesise(harmonic, angle, noise, free, phase, frequency * np.float32(pitch), generator)
        times = symbol_times(["$", *symbols, "$"], outputs[6].ravel() * _HOP, _SAMPLE_RATE)
        return NeuralSound(samples, _SAMPLE_RATE, times, text)


def _warped(spectrum: np.ndarray, tract: float) -> np.ndarray:
    """The spectrum (F, T) of a tract that is longer by a factor: bin i is read from i times the factor."""
    count = spectrum.shape[0]
    positions = np.minimum(np.arange(count) * tract, count - 1)
    lower = np.floor(positions).astype(int).clip(max=count - 2)
    share = (positions - lower).astype(np.float32)[:, None]
    return np.ascontiguousarray(spectrum[lower] * (1 - share) + spectrum[lower + 1] * share)


def draw_speaker(rng: random.Random) -> tuple[float, float]:
    """Random factors of pitch and vocal tract: of women, men, and a few children."""
    kind = rng.random()
    if kind < 0.42:
        return rng.uniform(0.85, 1.15), rng.uniform(0.97, 1.05)
    if kind < 0.93:
        return rng.uniform(0.48, 0.70), rng.uniform(1.06, 1.2)
    return rng.uniform(1.15, 1.45), rng.uniform(0.87, 0.96)


def utterances(rng: random.Random, generator: np.random.Generator) -> Iterator[Utterance]:
    """Endless English texts, each by another speaker.

    Args:
        rng: of texts and speakers.
        generator: of the noise in unvoiced sounds.
    """
    voice = Hibari()
    while True:
        text = english_text(rng)
        speed = rng.uniform(0.72, 1.35)
        pitch, tract = draw_speaker(rng)
        sound = voice.speak(text, speed, pitch, tract, generator)
        if sound.is_usable:
            speaker = f"hibari:{pitch:.3f},{tract:.3f}"
            yield labelled_utterance(sound.as_pcm(), sound.sample_rate, sound.symbols, speaker, text)
