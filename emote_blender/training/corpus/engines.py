"""Speech engines that say when each phone starts and ends: espeak-ng (library), flite and festival (programs).

Only engines and voices whose licence lets a model trained on their sound be given away freely are listed
(spec/DEFAULT_MODEL.md): espeak-ng, flite awb / rms / slt, festival kal / ked / slt-hts. flite's kal16 stays out because
its phone times and its audio disagree by 0.09 to 0.14 s.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import InputError
from . import phones
from .text import ENGLISH_SOUNDS, PSEUDO_LANGUAGES, english_sentence, pseudo_sentence

SAMPLE_RATE = 16000
APT_LINE = (
    "apt-get install --no-install-recommends espeak-ng libespeak-ng1 flite festival "
    "festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k wamerican"
)
ENGINES = ("espeak", "espeak_languages", "festival", "flite")


@dataclass(frozen=True)
class Utterance:
    """One synthesised sentence.

    samples: (N,) int16, mono, 16 kHz.
    phone_classes: (P,) int16, indices into `phones.CLASSES`.
    phone_times: (P, 2) float32, start and end of each phone in seconds from the first sample.
    speaker: engine and voice, for instance "flite:slt".
    """

    samples: np.ndarray
    phone_classes: np.ndarray
    phone_times: np.ndarray
    speaker: str


def utterances(engine: str, seed: int, voices: tuple[str, ...] | None = None) -> Iterator[Utterance]:
    """Endless utterances of an engine, the same for the same seed.

    Raises:
        InputError: the engine or a voice of it is not installed.
    """
    rng = random.Random(seed)
    if engine in ("espeak", "espeak_languages"):
        return _espeak_utterances(rng, other_languages=engine == "espeak_languages")
    if engine == "flite":
        return _flite_utterances(rng, voices or tuple(FLITE_PITCH))
    if engine == "festival":
        return _festival_utterances(rng, voices or tuple(FESTIVAL_VOICES))
    raise ValueError(f"engine {engine!r}; known: {ENGINES}")


def is_available(engine: str) -> bool:
    """Whether this machine has the engine, with all the voices asked of it."""
    if engine in ("espeak", "espeak_languages"):
        return _find_espeak() is not None
    if engine == "festival":
        listed = _festival("(print (voice.list))").stdout if shutil.which("festival") else ""
        return all(voice in listed for voice in FESTIVAL_VOICES)
    if engine == "flite":
        command = ["flite", "-lv"]
        has_program = shutil.which("flite") is not None
        listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout if has_program else ""
        return all(voice in listed for voice in FLITE_PITCH)
    raise ValueError(f"engine {engine!r}; known: {ENGINES}")


def require_engines(engines: tuple[str, ...]) -> None:
    """Raises InputError with the line to type where an engine is missing."""
    missing = sorted(engine for engine in set(engines) if not is_available(engine))
    if missing:
        raise InputError(f"speech engines not installed: {', '.join(missing)}; run: {APT_LINE}")


def to_utterance(samples: np.ndarray, sample_rate: int, segments: list, symbol_classes, speaker: str) -> Utterance:
    """Engine output as an `Utterance`: resampled to 16 kHz, level 20000 of 32767, symbols as phone classes.

    segments: (symbol, start s, end s); a symbol of two classes (diphthong, affricate) is cut in equal parts, one
        without a class is dropped and an unknown one (None) counts as a breath (HH).
    """
    from scipy.signal import resample_poly

    samples = samples.astype(np.float64)
    if sample_rate != SAMPLE_RATE:
        divisor = math.gcd(sample_rate, SAMPLE_RATE)
        samples = resample_poly(samples, SAMPLE_RATE // divisor, sample_rate // divisor)
    peak = np.abs(samples).max(initial=0.0)
    samples = (samples * (20000.0 / max(peak, 1e-9))).astype(np.int16)
    rows = []
    for symbol, start, end in segments:
        names = symbol_classes(symbol)
        names = ("HH",) if names is None else names
        share = (end - start) / max(len(names), 1)
        rows += [(phones.CLASS_INDEX[n], start + i * share, start + (i + 1) * share) for i, n in enumerate(names)]
    table = np.asarray(rows, np.float64).reshape(-1, 3)
    return Utterance(samples, table[:, 0].astype(np.int16), table[:, 1:].astype(np.float32), speaker)


# ---------------------------------------------------------------- espeak-ng

ESPEAK_ENGLISH = (
    "en-us", "en-us", "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-029", "en-us-nyc",
)  # fmt: skip
# Not speech that a face could be asked to speak: no voicing, rough, or already sped up.
ESPEAK_LEFT_OUT = ("whisper", "whisperf", "croak", "fast", "Demonic", "announcer")
_PHONEME_EVENT = 7
_RATE, _PITCH, _RANGE = 1, 3, 4


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("string", ctypes.c_char * 8),
    )


def _find_espeak() -> str | None:
    """Name of the espeak-ng library, for ctypes, or None."""
    for name in (ctypes.util.find_library("espeak-ng"), "libespeak-ng.so.1", "libespeak-ng.dylib", "espeak-ng.dll"):
        if name:
            try:
                ctypes.CDLL(name)
            except OSError:
                continue
            return name
    return None


class _Espeak:
    """The espeak-ng library in synchronous mode. It keeps global state: one per process."""

    def __init__(self) -> None:
        name = _find_espeak()
        if name is None:
            raise InputError(f"speech engine espeak-ng not installed; run: {APT_LINE}")
        self._library = ctypes.CDLL(name)
        synchronous, phoneme_events_in_ipa = 2, 3
        self.sample_rate = self._library.espeak_Initialize(synchronous, 0, None, phoneme_events_in_ipa)
        callback_type = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
        )
        self._callback = callback_type(self._receive)  # kept: the library holds only the address
        self._library.espeak_SetSynthCallback(self._callback)
        self._chunks: list[np.ndarray] = []
        self._events: list[tuple[float, str]] = []

    def variants(self) -> list[str]:
        """Names of the voice variants (files of the data folder's voices/!v)."""
        data_path = ctypes.c_char_p()
        self._library.espeak_Info.restype = ctypes.c_char_p
        self._library.espeak_Info(ctypes.byref(data_path))
        folder = Path((data_path.value or b"").decode()) / "voices" / "!v"
        names = sorted(path.name for path in folder.iterdir())
        return [n for n in names if n not in ESPEAK_LEFT_OUT and "robo" not in n.lower() and "Uni" not in n]

    def reseed(self, seed: int) -> None:
        """Makes breath and flutter noise repeatable, where the library can (1.52 and later)."""
        if hasattr(self._library, "espeak_ng_SetRandSeed"):
            self._library.espeak_ng_SetRandSeed(ctypes.c_long(seed))

    def say(self, text: str, voice: str, rate: int, pitch: int, pitch_range: int):
        """(samples int16, [(IPA, start s, end s), ...]) or None where the voice does not exist."""
        self._chunks, self._events = [], []
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            return None
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode("utf-8") + b"\0"
        utf8 = 1
        self._library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 1, 0, utf8, None, None)
        if not self._chunks:
            return None
        samples = np.concatenate(self._chunks)
        ends = [start for start, _ in self._events[1:]] + [len(samples) / self.sample_rate]
        return samples, [(ipa, start, end) for (start, ipa), end in zip(self._events, ends, strict=True) if end > start]

    def _receive(self, wave, count, events) -> int:
        if count > 0 and wave:
            self._chunks.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while events[index].type != 0:
            event = events[index]
            if event.type == _PHONEME_EVENT:
                ipa = bytes(event.string).split(b"\0")[0].decode("utf-8", "ignore")
                self._events.append((event.sample / self.sample_rate, ipa))
            index += 1
        return 0


def _espeak_utterances(rng: random.Random, other_languages: bool) -> Iterator[Utterance]:
    espeak = _Espeak()
    variants = espeak.variants()
    while True:
        if other_languages:
            language = rng.choice(list(PSEUDO_LANGUAGES))
            text = pseudo_sentence(rng, *PSEUDO_LANGUAGES[language])
        else:
            language = rng.choice(ESPEAK_ENGLISH)
            text = english_sentence(rng) if rng.random() < 0.85 else pseudo_sentence(rng, *ENGLISH_SOUNDS)
        voice = f"{language}+{rng.choice(variants)}"
        rate, pitch, pitch_range = rng.randint(120, 230), rng.randint(15, 85), rng.randint(20, 90)
        espeak.reseed(rng.randrange(2**31))
        spoken = espeak.say(text, voice, rate, pitch, pitch_range)
        if spoken is not None:
            yield to_utterance(spoken[0], espeak.sample_rate, spoken[1], phones.from_ipa, f"espeak:{voice}")


# ---------------------------------------------------------------- flite

FLITE_PITCH = {"awb": 140.0, "rms": 100.0, "slt": 170.0}  # mean pitch of each voice, Hz


def _flite_utterances(rng: random.Random, voices: tuple[str, ...]) -> Iterator[Utterance]:
    import soundfile

    with tempfile.TemporaryDirectory(prefix="emote_flite_") as folder:
        path = Path(folder) / "utterance.wav"
        while True:
            voice, text = rng.choice(voices), english_sentence(rng)
            stretch, pitch = rng.uniform(0.8, 1.3), FLITE_PITCH[voice] * rng.uniform(0.8, 1.25)
            command = ["flite", "-voice", voice, "-t", text, "-psdur", "-o", str(path)]
            command += ["--setf", f"duration_stretch={stretch:.2f}", "--setf", f"int_f0_target_mean={pitch:.0f}"]
            printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            samples, sample_rate = soundfile.read(path, dtype="float32")
            segments, start = [], 0.0
            for token in printed.split():
                symbol, _, end = token.rpartition(":")
                if symbol:
                    segments.append((symbol, start, float(end)))
                    start = float(end)
            yield to_utterance(samples, sample_rate, segments, phones.from_arpabet, f"flite:{voice}")


# ---------------------------------------------------------------- festival

FESTIVAL_VOICES = {"kal_diphone": 3, "ked_diphone": 3, "cmu_us_slt_arctic_hts": 4}  # share of each voice
_FESTIVAL_BATCH = 60  # sentences per process: starting festival takes longer than speaking one


def _festival(script: str) -> subprocess.CompletedProcess:
    return subprocess.run(["festival", "--pipe"], input=script, capture_output=True, text=True, check=False)


def _festival_utterances(rng: random.Random, voices: tuple[str, ...]) -> Iterator[Utterance]:
    import soundfile

    while True:
        voice = rng.choices(voices, [FESTIVAL_VOICES[name] for name in voices])[0]
        with tempfile.TemporaryDirectory(prefix="emote_festival_") as folder:
            lines = [f"(voice_{voice})"]
            for i in range(_FESTIVAL_BATCH):
                text = english_sentence(rng).replace('"', "")
                stem = (Path(folder) / str(i)).as_posix()
                lines.append(f"(Parameter.set 'Duration_Stretch {rng.uniform(0.8, 1.3):.2f})")
                lines.append(f'(set! u (utt.synth (Utterance Text "{text}")))')
                lines.append(f'(utt.save.segs u "{stem}.seg")(utt.save.wave u "{stem}.wav" \'riff)')
            completed = _festival("\n".join(lines))
            if completed.returncode != 0:
                raise InputError(f"festival failed with voice {voice}: {completed.stderr.strip()[-300:]}; {APT_LINE}")
            for i in range(_FESTIVAL_BATCH):
                samples, sample_rate = soundfile.read(Path(folder) / f"{i}.wav", dtype="float32")
                segments, start = [], 0.0
                for line in (Path(folder) / f"{i}.seg").read_text(encoding="latin-1").splitlines():
                    fields = line.split()
                    if len(fields) == 3:
                        segments.append((fields[2], start, float(fields[0])))
                        start = float(fields[0])
                yield to_utterance(samples, sample_rate, segments, phones.from_arpabet, f"festival:{voice}")
