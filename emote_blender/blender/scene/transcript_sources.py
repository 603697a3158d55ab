"""Where the words of a sound can be found: files beside its file, and text strips over it."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...motion_tools.timing import frame_to_seconds, frames_per_second
from ...transcript.suffixes import SUFFIXES
from ...transcript.timed_transcript import Cue, TimedTranscript
from ..compat import all_strips
from .placed_strip import handles
from .unheard import is_muted


def files_beside(sound: Path, language: str = "") -> list[Path]:
    """The files with words beside a sound's file, the likeliest first: `line.txt`, `line.srt`, `line.en.srt`.

    Args:
        sound: path of the sound's file.
        language: that is preferred among files that name one.
    """
    try:
        files = [path for path in sound.parent.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
    except OSError:
        return []

    def likelihood(path: Path) -> tuple[bool, bool, int, str]:
        named = path.stem[len(sound.stem) + 1 :].lower()
        is_other = bool(named) and not language.lower().startswith(named)
        return is_other, bool(named), SUFFIXES.index(path.suffix.lower()), path.name

    beside = [path for path in files if path.stem == sound.stem or _names_language(path.stem, sound.stem)]
    return sorted(beside, key=likelihood)


def _names_language(stem: str, sound: str) -> bool:
    """Whether a file's name is the sound's with a language, as in `line.en` or `line.pt-BR`."""
    start, _, language = stem.rpartition(".")
    return start == sound and language.replace("-", "").replace("_", "").isalpha()


def text_strips_over(
    scene: bpy.types.Scene, first_frame: float, last_frame: float, start_frame: float
) -> TimedTranscript | None:
    """The words of the text strips that lie over some frames; None if there are none.

    Of a text strip in a meta strip, only what that shows counts. Muted text strips count only if there are no others,
    as subtitles in several languages are muted but for one.

    Args:
        scene: the scene of the sequencer.
        first_frame: of the sound.
        last_frame: of the sound.
        start_frame: frame from which the times count.
    """
    from ...transcript.clean import clean_cues  # here, as enabling the add-on needs no cleaning

    over = []
    for strip in all_strips(scene):
        left, right = handles(strip)
        is_over = left < min(right, last_frame) and right > first_frame
        if isinstance(strip, bpy.types.TextStrip) and is_over and strip.text.strip():
            over.append((left, right, strip))
    shown = [item for item in over if not is_muted(scene, item[-1])]
    fps = frames_per_second(scene.render.fps, scene.render.fps_base)
    used = sorted(shown or over, key=lambda item: (item[0], item[-1].channel))
    cues = [
        Cue(text, frame_to_seconds(left, fps, start_frame), frame_to_seconds(right, fps, start_frame))
        for (left, right, _), text in zip(used, clean_cues([strip.text for *_, strip in used]), strict=True)
        if text
    ]
    return TimedTranscript(tuple(cues)) if cues else None
