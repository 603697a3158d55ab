"""Sound strips: the audible part of a strip as a waveform, and its place on the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from ...audio import Waveform, load_audio, load_part
from ...errors import InputError
from ...files.temporary_copy import temporary_copy
from ...motion_tools.timing import frame_to_seconds, frames_per_second
from ...sound_files.with_aud import AudSound
from ..compat import active_strip, all_strips, sequencer_scene, strip_timing
from ..narrow import window_scene


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


@dataclass(frozen=True)
class StripSound:
    """The audible part of a sound strip, read from the scene once; decoding it needs no bpy.

    Attributes:
        strip: name of the strip.
        path: the sound file (for a packed sound only its name matters).
        packed: the file's bytes if they are packed into the .blend.
        frame_start: scene frame at which the audible part begins.
        source_start_seconds: time in the file at `frame_start`; negative if the part begins with silence.
        duration_seconds: length of the audible part.
    """

    strip: str
    path: Path
    packed: bytes | None
    frame_start: int
    source_start_seconds: float
    duration_seconds: float

    @property
    def name(self) -> str:
        """The name of takes of this sound."""
        return self.strip

    def decode(self) -> Waveform:
        """The audible part, at the file's own sample rate; silence where the strip reaches beyond the file.

        Raises:
            InputError: if the file is missing or cannot be decoded.
        """
        part = (self.source_start_seconds, self.duration_seconds)
        if self.packed is None:
            return load_part(self.path, *part, f"strip {self.strip!r}: {self.path}", AudSound)
        return _decode_packed(self.packed, self.path, self.strip, *part)


def sound_strips(scene: bpy.types.Scene) -> list[bpy.types.SoundStrip]:
    """The sound strips of a scene in the order of their first audible frames, those inside meta strips too."""
    strips = [strip for strip in all_strips(scene) if isinstance(strip, bpy.types.SoundStrip)]
    return sorted(strips, key=lambda strip: (strip_timing(strip).left, strip.name))


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
    with_sound = [scene for scene in scenes if sound_strips(scene)]
    with_name = [scene for scene in with_sound if name and name in [strip.name for strip in sound_strips(scene)]]
    return (with_name or with_sound or scenes)[0]


def line_scene(context: bpy.types.Context, head: bpy.types.Object) -> bpy.types.Scene:
    """The scene whose timeline a sound without a strip is placed on: the window's, or the head's if it is elsewhere."""
    shown = window_scene(context)
    return next((scene for scene in (shown, *head.users_scene) if head.name in scene.objects), shown)


def all_sound_strips(context: bpy.types.Context) -> list[bpy.types.SoundStrip]:
    """The sound strips of the sequencer's and the window's scene."""
    return [strip for scene in strip_scenes(context) for strip in sound_strips(scene)]


def find_strip(scene: bpy.types.Scene, name: str = "") -> bpy.types.SoundStrip:
    """The sound strip of this name; without a name the active one, or the only one.

    Raises:
        InputError: if there is none, with the names that there are.
    """
    strips = sound_strips(scene)
    if name:
        named = [strip for strip in strips if strip.name == name]
        if named:
            return named[0]
        if any(strip.name == name for strip in all_strips(scene)):
            raise InputError(f"strip {name!r} of scene {scene.name!r} is not a sound strip; choose a sound strip")
    elif isinstance(active := active_strip(scene), bpy.types.SoundStrip):
        return active
    elif len(strips) == 1:
        return strips[0]
    if not strips:
        raise InputError(f"scene {scene.name!r} has no sound strip; add one in the Video Sequencer or choose a file")
    names = ", ".join(repr(strip.name) for strip in strips[:10]) + (", ..." if len(strips) > 10 else "")
    if not name:
        raise InputError(f"no sound strip is chosen; choose one of {names}")
    raise InputError(f"sound strip {name!r} not found in scene {scene.name!r}; choose one of {names}")


@dataclass(frozen=True)
class AudiblePart:
    """The part of a strip that is heard: where it is on the timeline, and where in the sound file.

    Attributes:
        frame_start: scene frame at which it begins.
        source_start_seconds: time in the file at `frame_start`; negative if the part begins with silence.
        duration_seconds: its length.
    """

    frame_start: int
    source_start_seconds: float
    duration_seconds: float


def audible_part(scene: bpy.types.Scene, strip: bpy.types.SoundStrip) -> AudiblePart:
    """The part of a strip between its handles and between those of the meta strips around it.

    The time in the file at frame f is (f - content_start + trim_start) / fps - sound_offset (spec/BLENDER.md, Sound
    strips; measured there on a mixed-down ramp).

    Raises:
        InputError: if the strip is retimed, or has no audible part.
    """
    if len(strip.retiming_keys) > 0:
        raise InputError(
            f"strip {strip.name!r} is retimed ({len(strip.retiming_keys)} retiming keys), which is not supported yet; "
            "reset its retiming or render the sound to a file first"
        )
    fps = frames_per_second(scene.render.fps, scene.render.fps_base)
    timing = strip_timing(strip)
    left, right = handles(strip)
    if right <= left:
        raise InputError(f"nothing of strip {strip.name!r} is heard; check its handles and its meta strip")
    frame_start = round(left)
    return AudiblePart(
        frame_start,
        frame_to_seconds(frame_start, fps, timing.content_start - timing.trim_start) - strip.sound_offset,
        (right - frame_start) / fps,
    )


def handles(strip: bpy.types.Strip) -> tuple[float, float]:
    """The first frame of a strip, and the frame after its last one, between the handles of the metas around it."""
    timing = strip_timing(strip)
    left, right = timing.left, timing.right
    meta = strip.parent_meta()
    while meta is not None:
        outer = strip_timing(meta)
        left, right = max(left, outer.left), min(right, outer.right)
        meta = meta.parent_meta()
    return left, right


def read_strip(scene: bpy.types.Scene, strip: bpy.types.SoundStrip) -> StripSound:
    """The audible part of a strip, ready to be decoded.

    Raises:
        InputError: if the strip has no name or no sound, is retimed, or has no audible part.
    """
    if not strip.name:  # by which its words and takes are found again
        raise InputError(f"the sound strip at frame {strip_timing(strip).left:.0f} has no name; give it one")
    if strip.sound is None:
        raise InputError(f"strip {strip.name!r} has lost its sound; load the sound file again")
    part, sound = audible_part(scene, strip), strip.sound
    packed = sound.packed_file.data if sound.packed_file is not None else None
    return StripSound(
        strip=strip.name,
        path=Path(bpy.path.abspath(sound.filepath, library=sound.library)),
        packed=bytes(packed) if packed is not None else None,
        frame_start=part.frame_start,
        source_start_seconds=part.source_start_seconds,
        duration_seconds=part.duration_seconds,
    )


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
