"""Speech from the program festival: diphone and HMM voices, many sentences per process; times from utt.save.segs."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ....errors import InputError
from .. import phones
from ..text.sentences import english_sentence
from ..text.varied_text import english_phrases
from .utterance import APT_LINE, Utterance, to_utterance

FESTIVAL_VOICES = {"kal_diphone": 3, "ked_diphone": 3, "cmu_us_slt_arctic_hts": 4}  # relative frequency of each voice
_BATCH = 60  # sentences per process: starting festival takes longer than synthesising one
_PITCH, _DEVIATION = 105.0, 14.0  # Hz, mean and standard deviation of the pitch of the two diphone voices


def run(script: str) -> subprocess.CompletedProcess:
    """The output of festival for a Scheme script."""
    return subprocess.run(["festival", "--pipe"], input=script, capture_output=True, text=True, check=False)


def listed_voices() -> str:
    """Names of the installed voices, as festival prints them; "" without festival."""
    return run("(print (voice.list))").stdout if shutil.which("festival") else ""


def speak_batch(
    voice: str,
    sentences: Sequence[tuple[str, str]],
    symbol_classes: Callable[[str], tuple[str, ...] | None],
    encoding: str = "utf-8",
) -> list[Utterance]:
    """Sentences spoken by one voice in one process.

    Args:
        voice: its name.
        sentences: (Scheme commands, text) each; the commands are run before the text is spoken. Double quotes and
            backslashes in a text are removed.
        symbol_classes: classes of a phone name, see `to_utterance`.
        encoding: of the text that the voice reads.

    Raises:
        InputError: festival failed.
    """
    import soundfile

    with tempfile.TemporaryDirectory(prefix="emote_festival_") as folder:
        lines = [f"(voice_{voice})"]
        for i, (commands, text) in enumerate(sentences):
            stem = (Path(folder) / str(i)).as_posix()
            text = text.replace('"', "").replace("\\", "")
            lines += [commands, f'(set! u (utt.synth (Utterance Text "{text}")))']
            lines.append(f'(utt.save.segs u "{stem}.seg")(utt.save.wave u "{stem}.wav" \'riff)')
        script = "\n".join(lines).encode(encoding)
        completed = subprocess.run(["festival", "--pipe"], input=script, capture_output=True, check=False)
        if completed.returncode != 0:
            message = completed.stderr.decode("latin-1").strip()[-300:]
            raise InputError(f"festival failed with voice {voice}: {message}; {APT_LINE}")
        spoken = []
        for i, (_, text) in enumerate(sentences):
            samples, sample_rate = soundfile.read(Path(folder) / f"{i}.wav", dtype="float32")
            segments, start = [], 0.0
            for line in (Path(folder) / f"{i}.seg").read_text(encoding="latin-1").splitlines():
                fields = line.split()
                if len(fields) == 3:
                    segments.append((fields[2], start, float(fields[0])))
                    start = float(fields[0])
            spoken.append(to_utterance(samples, sample_rate, segments, symbol_classes, f"festival:{voice}", text))
        return spoken


def utterances(rng: random.Random, voices: Sequence[str]) -> Iterator[Utterance]:
    """Endless English sentences by random voices."""
    while True:
        voice = rng.choices(voices, [FESTIVAL_VOICES[name] for name in voices])[0]
        sentences = []
        for _ in range(_BATCH):
            text = english_sentence(rng)
            sentences.append((f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.3):.2f})", text))
        yield from speak_batch(voice, sentences, phones.from_arpabet)


def varied_clips(rng: random.Random, voices: Sequence[str]) -> Iterator[list[Utterance]]:
    """Endless clips of one to three English phrases by one voice, of varied rate, pitch and pitch range.

    Of the HMM voice, festival can change the rate only; `variation.time_warped` varies its pitch.
    """
    while True:
        voice = rng.choices(voices, [FESTIVAL_VOICES[name] for name in voices])[0]
        sentences: list[tuple[str, str]] = []
        counts = []
        while len(sentences) < _BATCH:
            stretch, texts = rng.uniform(0.7, 1.5), english_phrases(rng)
            pitch, deviation = _PITCH * rng.uniform(0.7, 1.5), _DEVIATION * rng.uniform(0.3, 2.5)
            for text in texts:
                phrase_stretch = stretch * rng.uniform(0.9, 1.1)
                if voice.endswith("_hts"):
                    rate = f'(list \'("-r" {1 / phrase_stretch:.3f}))'
                    commands = f"(set! hts_engine_params (append {voice}::hts_engine_params {rate}))"
                else:
                    range_of_pitch = f"(target_f0_mean {pitch:.0f}) (target_f0_std {deviation:.1f})"
                    commands = (
                        f"(Parameter.set 'Duration_Stretch {phrase_stretch:.2f})"
                        f"(set! int_lr_params '({range_of_pitch} (model_f0_mean 170) (model_f0_std 34)))"
                    )
                sentences.append((commands, text))
            counts.append(len(texts))
        spoken = iter(speak_batch(voice, sentences, phones.from_arpabet))
        for count in counts:
            yield [next(spoken) for _ in range(count)]
