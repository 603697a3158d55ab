"""Which files are sound, and the sentences for those that are not."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError

READABLE = "wav, aiff, flac, ogg, opus, mp3, m4a, aac, or a video with sound (mp4, mov, mkv, webm)"

_HEAD_BYTES = 4096
_MAGIC = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "a zip archive",
    b"Rar!": "a rar archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"{\\rtf": "an RTF document",
    b"\x89PNG": "a picture",
    b"GIF8": "a picture",
    b"BM": "a picture",
    b"II*\x00": "a picture",
    b"MM\x00*": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"MThd": "a MIDI file, which holds notes",
    b"BLENDER": "a Blender file",
    b"\x7fELF": "a program",
    b"version https://git-lfs": "a pointer of Git LFS",
}
# Text that is printable and yet the beginning of a sound file: NIST SPHERE, AMR.
_TEXT_HEADERS = (b"NIST_1A", b"#!AMR")


def refuse_other_kinds(path: Path) -> None:
    """Raise InputError if a file is plainly something else than sound: text, a web page, an archive, a picture.

    Text must not reach a decoder: ffmpeg takes some for playlists, and opens the addresses in them.
    """
    kind = kind_of_file(path)
    if kind:
        raise InputError(f"{path} is {kind}, not sound, whatever its name is; use {READABLE}")


def kind_of_file(path: Path) -> str:
    """What a file is, such as "a picture" or "a text file", if that is no sound or video; else an empty string."""
    with path.open("rb") as file:
        return _kind(file.read(_HEAD_BYTES))


def not_decodable(path: Path, reason: str) -> InputError:
    """The error for a file that the decoder refuses; the reason may be empty."""
    reason = reason or "of an unknown kind, or damaged at its beginning"
    return InputError(f"{path} cannot be read as audio ({reason}); use a file that plays elsewhere: {READABLE}")


def no_sound_in(path: Path) -> InputError:
    """The error for a video or container without a sound track."""
    return InputError(f"{path} holds no sound, only picture or data; use {READABLE}")


def _kind(head: bytes) -> str:
    """What a file is that begins with `head`, if that is no sound; else an empty string."""
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a picture"
    if head.startswith(_TEXT_HEADERS):
        return ""
    is_utf16 = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        # The last character may be cut in two.
        text = head.decode(
            "utf-16" if is_utf16 else "utf-8-sig", errors="strict" if len(head) < _HEAD_BYTES else "ignore"
        )
    except UnicodeDecodeError:
        return ""
    if len(text.encode("utf-16-le" if is_utf16 else "utf-8")) < 0.98 * len(head) - 4:
        return ""  # what was ignored is no text
    if any(ord(character) < 32 and character not in "\t\n\r\f\x1b" for character in text):
        return ""
    return "a web page" if text.lstrip()[:20].lower().startswith(("<!doctype html", "<html")) else "a text file"
