"""Timed texts of every kind as a transcript: subtitles, labels, annotations, and what recognisers write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import InputError
from ..files.text_file import read_text_file
from .clean import clean_cues
from .cue_times import mended_cues
from .timed_formats.cue_lines import read_frame_lines, read_labels, read_lyrics, read_stamps
from .timed_formats.recogniser_json import read_json
from .timed_formats.substation import read_substation
from .timed_formats.textgrid import read_textgrid
from .timed_formats.time_lines import read_time_lines
from .timed_formats.written_cue import DamagedText, TimedText
from .timed_formats.xml_texts import read_xml
from .timed_transcript import TimedTranscript

MAX_SUBTITLE_BYTES = 32 << 20  # an hour of Whisper's JSON with words has about 5 MB
_KIND = "subtitle file"
# The most certain first.
_READERS = (
    *(read_json, read_xml, read_textgrid, read_substation),
    *(read_time_lines, read_lyrics, read_stamps, read_labels, read_frame_lines),
)


def read_subtitles(path: Path) -> TimedTranscript:
    """The transcript in a file with times; any of the formats, whatever it is called.

    Raises:
        InputError: if it cannot be read, or holds no words with times.
    """
    text, code_page = read_text_file(path, _KIND, MAX_SUBTITLE_BYTES)
    transcript = parse_timed_text(text, str(path))
    if transcript is None:
        raise InputError(
            f"{path} holds no words with times; export it again as SubRip (.srt), or save the words as a .txt file"
        )
    return with_code_page(transcript, code_page)


def with_code_page(transcript: TimedTranscript, code_page: str) -> TimedTranscript:
    """The transcript with a warning about the code page that was assumed, if there is one."""
    if not code_page:
        return transcript
    sentence = f"the transcript was read as {code_page}; if its letters are wrong, save it in UTF-8"
    return replace(transcript, warnings=(*transcript.warnings, sentence))


def parse_timed_text(text: str, name: str = "the transcript") -> TimedTranscript | None:
    """The transcript in a text with times, also in one line; None if it is a plain text.

    Args:
        text: the text.
        name: of the file, for error sentences.

    Raises:
        InputError: if it is of a known format, but damaged or without a word.
    """
    text = text.removeprefix("\ufeff").replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    for reader in _READERS:
        try:
            timed = reader(text)
        except DamagedText as error:
            raise InputError(f"{name} {error}") from error
        if timed is not None:
            return _transcript(timed, name)
    return None


def _transcript(timed: TimedText, name: str) -> TimedTranscript:
    """What is spoken, with times that can be used; raises InputError if nothing is left."""
    texts = clean_cues([cue.text for cue in timed.cues])
    if not any(texts):
        found = "no cue" if not timed.cues else f"{len(timed.cues)} cues without a word".replace("1 cues", "1 cue")
        raise InputError(f"{name} has {found}; give subtitles of what is spoken, or leave the transcript out")
    cues, warnings = mended_cues([replace(cue, text=text) for cue, text in zip(timed.cues, texts)])
    if not cues:
        raise InputError(f"{name} has no cue with usable times: {warnings[0]}")
    return TimedTranscript(tuple(cues), timed.language, warnings)
