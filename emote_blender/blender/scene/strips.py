"""Sound strips: choosing them, and the audible part of a strip as a waveform."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...audio import Waveform, load_audio, load_part
from ...errors import InputError
from ...files.temporary_copy import temporary_copy
from ...sound_files.read import require_decodable
from ...sound_files.with_aud import AudSound
from ...transcript.timed_transcript import TimedTranscript
from ..compat import active_strip, all_strips, sequencer_scene, strip_timing
from ..narrow import window_scene
from .hidden_fields import sound_track
from .mixdown import Mixdown, mixed_down
from .placed_strip import PlacedStrip, audible_part, outermost, placed_strips


@dataclass(frozen=True)
class FileSound:
    """A sound file, from its beginning to its end.

    Attributes:
        path: the file.
        frame_start: scene frame at which it begins.
    """

    path: Path
    frame_start: int

    @property
    def name(self) -> str:
        """The name of takes of this sound."""
        return self.path.stem

    def decode(self) -> Waveform:
        """The sound, at the file's own sample rate; raises InputError if the file is missing or cannot be decoded."""
        return load_audio(self.path, None, decoder=AudSound)

    def timed_from_start(self, transcript: TimedTranscript) -> TimedTranscript:
        """Words with times in the file as words with times from the beginning of the sound: the same."""
        return transcript


@dataclass(frozen=True)
class StripSound:
    """The audible part of a sound strip, read from the scene once; decoding it needs no bpy.

    Attributes:
        strip: name of the strip.
        path: the sound file (for a packed sound only its name matters).
        packed: the file's bytes if they are packed into the .blend.
        frame_start: scene frame at which the audible part begins.
        source_start_seconds: time in the file at `frame_start`, see `AudiblePart`.
        duration_seconds: length of the audible part.
        retiming: its retiming keys, see `AudiblePart`.
        mixdown: Blender's own mixdown, of a retimed strip or of a sound track that is not the first; else None.
    """

    strip: str
    path: Path
    packed: bytes | None
    frame_start: int
    source_start_seconds: float
    duration_seconds: float
    retiming: str = ""
    mixdown: Mixdown | None = None

    @property
    def name(self) -> str:
        """The name of takes of this sound."""
        return self.strip

    def decode(self) -> Waveform:
        """The audible part, at the file's own sample rate; silence where the strip reaches beyond the file.

        Raises:
            InputError: if the file is missing or cannot be decoded.
        """
        if self.mixdown is not None:
            return self.mixdown.waveform
        part = (self.source_start_seconds, self.duration_seconds)
        if self.packed is None:
            return load_part(self.path, *part, f"strip {self.strip!r}: {self.path}", AudSound)
        return _decode_packed(self.packed, self.path, self.strip, *part)

    def timed_from_start(self, transcript: TimedTranscript) -> TimedTranscript:
        """Words with times in the file as words with times from the beginning of the sound."""
        if self.mixdown is not None:
            return transcript.mapped(self.mixdown.from_file)
        return transcript.shifted(-self.source_start_seconds)

    def timed_in_file(self, transcript: TimedTranscript) -> TimedTranscript:
        """Words with times from the beginning of the sound as words with times in the file."""
        if self.mixdown is not None:
            return transcript.mapped(self.mixdown.to_file)
        return transcript.shifted(self.source_start_seconds)


def strip_scenes(context: bpy.types.Context, head: bpy.types.Object | None = None) -> list[bpy.types.Scene]:
    """The scenes whose strips can be spoken: the sequencer's, the window's, and the head's if that is not shown.

    From 5.0 on the sequencer may show another scene than the window, and its "+ New" makes one without objects.
    """
    shown = window_scene(context)
    elsewhere = head.users_scene if head is not None and head.name not in shown.objects else ()
    scenes = [sequencer_scene(context), shown, *elsewhere]
    return list({scene.session_uid: scene for scene in scenes}.values())


def strip_scene(context: bpy.types.Context, name: str = "", head: bpy.types.Object | None = None) -> bpy.types.Scene:
    """The scene whose strips are used: the first with the strip of this name, else the first with a sound strip."""
    scenes = strip_scenes(context, head)
    with_name = (scene for scene in scenes if name and named_strips(scene, name))
    with_sound = (scene for scene in scenes if placed_strips(scene))
    return next(with_name, None) or next(with_sound, scenes[0])


def line_scene(context: bpy.types.Context, head: bpy.types.Object) -> bpy.types.Scene:
    """The scene whose timeline a sound without a strip is placed on: the window's, or the head's if it is elsewhere."""
    shown = window_scene(context)
    return next((scene for scene in (shown, *head.users_scene) if head.name in scene.objects), shown)


def all_placed_strips(context: bpy.types.Context) -> list[PlacedStrip]:
    """The sound strips on the timelines of the sequencer's and the window's scene."""
    return [placed for scene in strip_scenes(context) for placed in placed_strips(scene)]


def named_strips(scene: bpy.types.Scene, name: str) -> list[PlacedStrip]:
    """The sound strips that a name stands for: one of this name, or all in the meta strip or scene strip of it."""
    placed = placed_strips(scene)
    for has_name in (lambda item: item.name == name, lambda item: item.strip.name == name):
        if found := [item for item in placed if has_name(item)]:
            return found[:1]
    containers = [strip for strip in all_strips(scene) if strip.name == name]
    return [item for item in placed if any(map(item.is_inside, containers))]


def chosen_strips(scene: bpy.types.Scene, name: str = "") -> list[PlacedStrip]:
    """The sound strips that are meant: those of a name, without one those of the active strip, or the only ones.

    A meta strip and a scene strip stand for all sound strips inside them.

    Raises:
        InputError: if there is none, with the names that there are.
    """
    placed = placed_strips(scene)
    if name:
        if named := named_strips(scene, name):
            return named
        if any(strip.name == name for strip in all_strips(scene)):
            raise InputError(f"strip {name!r} of scene {scene.name!r} is not a sound strip; choose a sound strip")
    else:
        active = active_strip(scene)
        if active is not None and (inside := [item for item in placed if item.is_inside(active)]):
            return inside
        if len(placed) == 1 or len({_outermost(item).name for item in placed}) == 1:
            return placed
    if not placed:
        raise InputError(f"scene {scene.name!r} has no sound strip; add one in the Video Sequencer or choose a file")
    if not name:
        raise InputError(f"no sound strip is chosen; choose one of {_names(placed)}")
    raise InputError(f"sound strip {name!r} not found in scene {scene.name!r}; choose one of {_names(placed)}")


def find_strip(scene: bpy.types.Scene, name: str = "") -> PlacedStrip:
    """The one sound strip that is meant, see `chosen_strips`.

    Raises:
        InputError: if there is none, or a meta strip or scene strip with several is meant.
    """
    chosen = chosen_strips(scene, name)
    if len(chosen) > 1:
        raise InputError(
            f"{name or _outermost(chosen[0]).name!r} holds {len(chosen)} sound strips; choose one of {_names(chosen)}"
        )
    return chosen[0]


def selected_strips(scene: bpy.types.Scene) -> list[PlacedStrip]:
    """The sound strips that are selected in the sequencer, and those inside selected meta strips and scene strips."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    # Blender keeps the selection inside meta strips that are closed, where nobody sees it.
    opened = editor.meta_stack[-1] if len(editor.meta_stack) else None
    selected = [strip for strip in all_strips(scene) if strip.select and strip.parent_meta() == opened]
    return [placed for placed in placed_strips(scene) if any(map(placed.is_inside, selected))]


def strips_by_name(scenes: Iterable[bpy.types.Scene]) -> dict[str, PlacedStrip]:
    """The sound strips on the timelines of some scenes by the names that takes have of them, the first of a name."""
    found: dict[str, PlacedStrip] = {}
    for scene in scenes:
        placed = placed_strips(scene)
        for names in (
            {item.name: item for item in reversed(placed)},
            {item.strip.name: item for item in reversed(placed)},
        ):
            found = {**names, **found}
    return found


def read_strip(placed: PlacedStrip) -> StripSound:
    """The audible part of a strip, ready to be decoded.

    A retimed strip, and a sound track that is not the first of its file, are mixed down by Blender.

    Raises:
        InputError: if the strip has no name or no sound, has no audible part, or cannot be mixed down.
    """
    strip = placed.strip
    if not strip.name:  # by which its words and takes are found again
        raise InputError(f"the sound strip at frame {strip_timing(strip).left:.0f} has no name; give it one")
    sound = strip.sound
    if sound is None:
        raise InputError(f"strip {strip.name!r} has lost its sound; load the sound file again")
    part = audible_part(placed)
    packed = sound.packed_file.data if sound.packed_file is not None else None
    path = sound_file(sound)
    mixdown = None
    if part.retiming or sound_track(sound):
        if packed is None:
            require_decodable(path, AudSound)  # raises: Blender itself mixes down silence for what it cannot read
        mixdown = mixed_down(placed, part)
    return StripSound(
        strip=placed.name or strip.name,
        path=path,
        packed=bytes(packed) if packed is not None else None,
        frame_start=part.frame_start,
        source_start_seconds=part.source_start_seconds,
        duration_seconds=part.duration_seconds,
        retiming=part.retiming,
        mixdown=mixdown,
    )


def sound_file(sound: bpy.types.Sound) -> Path:
    """The absolute path of a sound's file."""
    return Path(bpy.path.abspath(sound.filepath, library=sound.library))


def _outermost(placed: PlacedStrip) -> bpy.types.Strip:
    """The strip of the timeline's scene in which a sound strip is, or the sound strip itself."""
    return outermost(placed.through[0] if placed.through else placed.strip)


def _names(placed: list[PlacedStrip]) -> str:
    return ", ".join(repr(item.name) for item in placed[:10]) + (", ..." if len(placed) > 10 else "")


def _decode_packed(data: bytes, path: Path, strip: str, start_seconds: float, duration_seconds: float) -> Waveform:
    """A part of the sound of a packed file, which aud can only read from a file on disk."""
    if not data:
        raise InputError(f"strip {strip!r}: its packed sound is empty; unpack it and load the file again")
    name = f"strip {strip!r} (packed sound)"
    with temporary_copy([data], path.suffix, name) as unpacked:
        try:
            return load_part(unpacked, start_seconds, duration_seconds, name, AudSound)
        except InputError as error:
            raise InputError(str(error).replace(str(unpacked), name)) from error
