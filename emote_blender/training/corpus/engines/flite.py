"""Speech from the program flite: small recorded voices; phone times from its -psdur output."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import phones
from ..text.sentences import english_sentence
from ..text.varied_text import english_phrases
from .utterance import Utterance, to_utterance

FLITE_PITCH = {"awb": 140.0, "rms": 100.0, "slt": 170.0}  # mean pitch of each voice, Hz
_DEVIATION = 14.0  # standard deviation of their pitch, Hz


def listed_voices() -> str:
    """Names of the voices, as flite prints them; "" without flite."""
    if not shutil.which("flite"):
        return ""
    return subprocess.run(["flite", "-lv"], capture_output=True, text=True, check=False).stdout


def speak(text: str, voice: str, settings: dict[str, str], path: Path) -> Utterance:
    """A text spoken by a voice.

    Args:
        text: the text.
        voice: a key of `FLITE_PITCH`.
        settings: flite's features, passed with `--setf`.
        path: of a temporary wav file.
    """
    import soundfile

    command = ["flite", "-voice", voice, "-t", text, "-psdur", "-o", str(path)]
    for name, value in settings.items():
        command += ["--setf", f"{name}={value}"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    samples, sample_rate = soundfile.read(path, dtype="float32")
    segments, start = [], 0.0
    for token in printed.split():
        symbol, _, end = token.rpartition(":")
        if symbol:
            segments.append((symbol, start, float(end)))
            start = float(end)
    return to_utterance(samples, sample_rate, segments, phones.from_arpabet, f"flite:{voice}", text)


def utterances(rng: random.Random, voices: Sequence[str]) -> Iterator[Utterance]:
    """Endless English sentences by random voices."""
    with tempfile.TemporaryDirectory(prefix="emote_flite_") as folder:
        while True:
            voice, text = rng.choice(voices), english_sentence(rng)
            stretch, pitch = rng.uniform(0.8, 1.3), FLITE_PITCH[voice] * rng.uniform(0.8, 1.25)
            settings = {"duration_stretch": f"{stretch:.2f}", "int_f0_target_mean": f"{pitch:.0f}"}
            yield speak(text, voice, settings, Path(folder) / "utterance.wav")


def varied_clips(rng: random.Random, voices: Sequence[str]) -> Iterator[list[Utterance]]:
    """Endless clips of one to three English phrases by one voice, of varied rate, pitch and pitch range.

    The voice rms ignores the pitch settings; `variation.time_warped` varies its pitch.
    """
    with tempfile.TemporaryDirectory(prefix="emote_flite_") as folder:
        while True:
            voice = rng.choice(voices)
            stretch, pitch = rng.uniform(0.7, 1.5), FLITE_PITCH[voice] * rng.uniform(0.7, 1.4)
            deviation = _DEVIATION * rng.uniform(0.3, 3.0)
            clip = []
            for text in english_phrases(rng):
                settings = {
                    "duration_stretch": f"{stretch * rng.uniform(0.9, 1.1):.2f}",
                    "int_f0_target_mean": f"{pitch:.0f}",
                    "int_f0_target_stddev": f"{deviation:.1f}",
                }
                clip.append(speak(text, voice, settings, Path(folder) / "utterance.wav"))
            yield clip
