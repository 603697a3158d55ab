"""The espeak-ng library, which turns text in a hundred languages into phonemes; GPL-3, offline.

It comes with the Python library `espeakng_loader`, or from the system. Words and phonemes are read from the events of
its synthesis, and its sound is discarded. Only the events assign phonemes to words, and these phonemes are the ones
that the speech models were trained with.
"""

from __future__ import annotations

import atexit
import ctypes
import ctypes.util
import os
import re
import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError

_SYNCHRONOUS, _PHONEME_EVENTS_IN_IPA, _DO_NOT_EXIT = 2, 3, 0x8000
_UTF8 = 1
_IPA = 2
_LANGUAGE_SWITCH = re.compile(r"\([^)]*\)")  # "(en)" before and "(de)" after an English word in a German text
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
# espeak-ng 1.52 keeps its data folder's path in 160 bytes, with the names of files after it.
_LONGEST_DATA_PATH = 120
_NEEDS_ASCII = sys.platform == "win32"  # it opens files by C's fopen, which takes no UTF-8 there


@dataclass(frozen=True)
class SpokenWord:
    """A piece of text that is spoken as a word.

    Attributes:
        start: index of its first character in the text.
        phonemes: in IPA, with stress and length marks; a pause is empty.
    """

    start: int
    phonemes: tuple[str, ...]


class Event(ctypes.Structure):
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


class _Voice(ctypes.Structure):
    """espeak_VOICE of speak_lib.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


class Espeak:
    """An opened library; see `open_espeak`. Its methods may be called from any thread."""

    def __init__(self, library: str, data: str | None) -> None:
        """Open the library.

        Args:
            library: path or name of the shared library.
            data: its data folder; None for the one built in.

        Raises:
            OSError: if the library cannot be loaded or finds no data.
        """
        self._library = ctypes.CDLL(library)
        options = _PHONEME_EVENTS_IN_IPA | _DO_NOT_EXIT
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode() if data else None, options) <= 0:
            raise OSError(f"espeak-ng finds no data in {data or 'its own folder'}")
        self._lock = threading.Lock()
        self._words: list[tuple[int, list[str]]] = []
        self._callback = Callback(self._receive)  # kept: the library holds only the address
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self._names: dict[str, str] = {}
        self._identifiers = self._list_voices()

    def languages(self) -> tuple[str, ...]:
        """Codes of the languages and accents that it can speak, such as de, en-gb, pt-br; sorted."""
        return tuple(sorted(self._identifiers))

    def names(self) -> dict[str, str]:
        """A code of `languages` for each English name of a language or accent, in lower case: "german" is de."""
        return dict(self._names)

    def speak(self, text: str, language: str) -> list[SpokenWord] | None:
        """The words of a text in spoken order; None if the data of the language are not installed.

        Args:
            text: a few sentences; longer texts work but cannot be cancelled.
            language: one of `languages`.
        """
        data = text.encode("utf-8", "ignore") + b"\0"
        with self._lock:
            if self._library.espeak_SetVoiceByName(self._identifiers[language]) != 0:
                return None
            self._words = []
            self._library.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 1, 0, _UTF8, None, None)
            return [SpokenWord(start, tuple(phonemes)) for start, phonemes in self._words]

    def phonemes(self, text: str, language: str) -> list[str]:
        """The phonemes of a text in IPA, without the words that they belong to: much faster than `speak`.

        Args:
            text: a few sentences.
            language: one of `languages`.
        """
        data = ctypes.create_string_buffer(text.encode("utf-8", "ignore"))
        rest = ctypes.c_void_p(ctypes.addressof(data))
        found: list[str] = []
        with self._lock:
            if self._library.espeak_SetVoiceByName(self._identifiers[language]) != 0:
                return found
            while rest.value:  # one clause at a time
                clause = self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA | ord("_") << 8)
                spoken = _LANGUAGE_SWITCH.sub(" ", (clause or b"").decode("utf-8", "ignore"))
                found += spoken.replace("_", " ").split()
        return found

    def _receive(self, wave, count, events) -> int:
        """Store the words and phonemes of a piece of the synthesis; returns 0, which means continue."""
        index = 0
        while events[index].type != _EVENT_END:
            event = events[index]
            if event.type == _EVENT_WORD:
                self._words.append((max(event.text_position - 1, 0), []))
            elif event.type == _EVENT_PHONEME and self._words:
                phoneme = bytes(event.string).split(b"\0")[0].decode("utf-8", "ignore")
                if not _LANGUAGE_SWITCH.fullmatch(phoneme):
                    self._words[-1][1].append(phoneme)
            index += 1
        return 0

    def _list_voices(self) -> dict[str, bytes]:
        """The identifier of the best voice by language code; fills `_names`."""
        best: dict[str, tuple[int, bytes]] = {}
        voices = self._library.espeak_ListVoices(None)
        index = 0
        while voices[index]:
            voice = voices[index][0]
            identifier = bytes(voice.identifier or b"")
            if not identifier.startswith(b"mb/"):  # MBROLA's voices are not here
                languages = _languages_of(voice.languages)
                if languages:
                    name = bytes(voice.name or b"").decode("utf-8", "ignore").strip().casefold()
                    self._names.setdefault(name, languages[0][1])
                for priority, code in languages:
                    # Of two voices, prefer the one whose file has the language's name: cmn, not cmn-Latn-pinyin.
                    rank = priority * 1000 + len(identifier)
                    if rank < best.get(code, (1 << 30, b""))[0]:
                        best[code] = (rank, identifier)
            index += 1
        return {code: identifier for code, (_, identifier) in best.items()}


def _languages_of(address: int | None) -> list[tuple[int, str]]:
    """(priority, code) of a voice: a byte and a C string each, until a byte of 0."""
    found = []
    while address:
        priority = ctypes.c_ubyte.from_address(address).value
        if not priority:
            break
        code = ctypes.string_at(address + 1)
        found.append((priority, code.decode("ascii", "ignore").lower()))
        address += len(code) + 2
    return found


_opened: Espeak | None = None
_opening = threading.Lock()


def open_espeak() -> Espeak:
    """The one espeak-ng of this process, as it has global state: the wheel's, else the system's.

    Raises:
        ModelError: if there is none.
    """
    global _opened
    with _opening:
        if _opened is None:
            _opened = _first_that_opens()
        return _opened


def _first_that_opens() -> Espeak:
    """The first candidate that opens; raises ModelError with the reason why the best one does not."""
    problem = ""
    for library, data in _candidates():
        try:
            return Espeak(library, usable_data_path(Path(data)) if data else None)
        except (OSError, UnicodeError, AttributeError) as error:
            problem = problem or str(error)
    raise ModelError(
        f"a transcript needs espeak-ng, which cannot be used here ({problem or 'it is not installed'}); install the "
        "Python library espeakng-loader or the add-on's zip that includes it, or leave the transcript out"
    )


def _candidates() -> list[tuple[str, str | None]]:
    """(library, data folder) candidates, best first; libraries of the system know their data folder."""
    found: list[tuple[str, str | None]] = []
    try:
        import espeakng_loader

        found.append((espeakng_loader.get_library_path(), espeakng_loader.get_data_path()))
    except (ImportError, RuntimeError, OSError):
        pass
    names = (ctypes.util.find_library("espeak-ng"), "libespeak-ng.so.1", "libespeak-ng.dylib", "espeak-ng.dll")
    return found + [(name, None) for name in names if name]


def usable_data_path(folder: Path) -> str:
    """A path of a data folder that the library can use: short and, on Windows, plain ASCII.

    If there is none, the folder is copied to a temporary one, which exists until this process ends.

    Raises:
        OSError: if there is no place for such a copy.
    """
    for path in (str(folder), _windows_short_path(str(folder))):
        if _is_usable(path):
            return path
    for place in _places_for_a_copy():
        try:
            copy = tempfile.mkdtemp(prefix="emote-", dir=place)
        except OSError:
            continue
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        path = os.path.join(_windows_short_path(copy), folder.name)
        if _is_usable(path):
            shutil.copytree(folder, path)
            return path
    raise OSError(
        f"it cannot read the path of its data, {folder}, and no folder for temporary files has a short path without "
        "special letters; set TEMP to one that has"
    )


def _places_for_a_copy() -> list[str]:
    """Folders for the temporary copy, best first; on Windows the path of %TEMP% contains the user's name."""
    return [tempfile.gettempdir(), *(os.environ[name] for name in ("PROGRAMDATA", "PUBLIC") if name in os.environ)]


def _is_usable(path: str) -> bool:
    """Whether espeak-ng can open files below this path."""
    return len(os.fsencode(path)) <= _LONGEST_DATA_PATH and (path.isascii() or not _NEEDS_ASCII)


def _windows_short_path(path: str) -> str:
    """The 8.3 form of a path on Windows, if the volume has one; else the path."""
    if sys.platform != "win32":
        return path
    buffer = ctypes.create_unicode_buffer(1024)
    length = ctypes.windll.kernel32.GetShortPathNameW(path, buffer, len(buffer))
    return buffer.value if 0 < length < len(buffer) else path
