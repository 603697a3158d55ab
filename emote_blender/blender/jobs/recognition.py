"""The words of a sound, recognised on a worker thread, and the settings that keep them.

`Place` and what returns it belong to the main thread; `recognise` touches no bpy.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import bpy

from ...errors import InputError
from ...transcript.recognisers.interface import Recognition
from ..scene.placed_strip import PlacedStrip
from ..scene.sound_part import SoundPart, part_of_file, part_of_strip
from ..scene.strips import FileSound, StripSound, find_strip
from ..settings.head_settings import head_settings
from ..settings.properties import scene_settings
from ..settings.transcript import strip_settings
from ..settings.transcript_state import TranscriptSettings, holds_own_words, keep_recognition, mode_of
from .features import stamp_of

_MOST_KEPT = 64
_kept: OrderedDict[tuple, Recognition] = OrderedDict()  # of this sitting: an undo takes the words out of the field


@dataclass(frozen=True)
class Place:
    """Where the words of a sound are kept, found again by identifiers, and what was there.

    Attributes:
        scene_uid: session identifier of the scene with the strip.
        strip: name of the strip; empty for a file.
        head_uid: session identifier of the head that keeps the words of its file; 0 for the scene's own settings.
        before: the words and their mode when the work began.
        part: the part of the sound file that is spoken; None if it is not known.
        is_linked: whether the settings belong to another file and cannot be changed here.
    """

    scene_uid: int
    strip: str
    head_uid: int
    before: tuple[str, str]
    part: SoundPart | None
    is_linked: bool

    def find(self) -> TranscriptSettings | None:
        """The settings as they are now; None if they are gone."""
        if self.head_uid:
            head = next((item for item in bpy.data.objects if item.session_uid == self.head_uid), None)
            return None if head is None else head_settings(head)
        scene = next((item for item in bpy.data.scenes if item.session_uid == self.scene_uid), None)
        if scene is None:
            return None
        if not self.strip:
            return scene_settings(scene)
        try:
            return strip_settings(find_strip(scene, self.strip).strip)
        except InputError:
            return None


def place_of_strip(placed: PlacedStrip) -> Place:
    """Where the words of a strip are kept: in the scene whose sequencer holds it."""
    part, owner, strip = part_of_strip(placed), placed.owner, placed.strip
    return Place(owner.session_uid, strip.name, 0, _content(strip_settings(strip)), part, owner.library is not None)


def place_of_file(scene: bpy.types.Scene, head: bpy.types.Object | None) -> Place:
    """Where the words of a sound file are kept: on the head that speaks it, or in the scene without a head."""
    if head is None:
        words, is_linked = scene_settings(scene), scene.library is not None
        return Place(scene.session_uid, "", 0, _content(words), part_of_file(words.audio), is_linked)
    own, is_linked = head_settings(head), head.library is not None
    return Place(scene.session_uid, "", head.session_uid, _content(own), part_of_file(own.audio), is_linked)


def _content(words: TranscriptSettings) -> tuple[str, str]:
    return words.transcript, mode_of(words)


def fill_in(place: Place, found: Recognition, *, overwrite: bool = False) -> bool:
    """Write recognised words into the field, and return whether that was done.

    What the artist wrote or chose meanwhile wins, and so do words of the artist that were there before, unless
    `overwrite`.
    """
    words = place.find()
    if words is None or place.is_linked or _content(words) != place.before:
        return False
    if holds_own_words(words) and not overwrite:
        return False
    keep_recognition(words, found, place.part)
    return True


def recognise(
    sound: StripSound | FileSound,
    language: str,
    folder: str,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Recognition:
    """The words of a sound; those of the last sounds of this sitting are kept. Touches no bpy.

    Args:
        sound: the sound.
        language: tag of the language that is spoken, or "auto".
        folder: folder of a speech recogniser; empty for the one that comes with the add-on.
        progress: called with a fraction 0 to 1 and a text.
        cancelled: called about once per second of work.

    Raises:
        InputError: if the sound cannot be decoded.
        ModelError: if there is no recogniser for the language, or it cannot be used.
        Cancelled: if `cancelled` returns True.
    """
    from ...transcript.automatic import recognise_words

    key = (*stamp_of(sound), language, folder)
    if key not in _kept:
        _kept[key] = recognise_words(sound.decode(), language, folder, progress, cancelled)
    _kept.move_to_end(key)
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return _kept[key]


def forget_recognised() -> None:
    """Drop the words that are kept in memory."""
    _kept.clear()


def no_speech_sentence(name: str) -> str:
    """The sentence for a sound in which no word was recognised."""
    return f"no speech was recognised in {name!r}; if there are words, write them into its transcript"
