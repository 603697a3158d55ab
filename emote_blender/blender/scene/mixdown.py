"""What Blender makes of one strip: its own mixdown, for retimed strips, as the speeds of their keys are not to be read.

Their sound is that of the film: with pitch correction, on ramps of speed, in freeze frames. The scenes of the strip are
copied, all other sounds are muted in the copies, these are mixed down, and then removed.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...audio import Waveform, load_part
from ...errors import InputError
from ...motion_tools.timing import frames_per_second
from ...sound_files.with_aud import AudSound
from ..compat import all_strips, content_frames, move_strip, reads_speeds_before_strips, strip_timing
from ..narrow import expect, present
from .hidden_fields import hidden_offset
from .placed_strip import AudiblePart, PlacedStrip, handles, outermost, seconds_into

_SAMPLE_RATE = 48000
_BUFFER_SAMPLES = 1024  # its default (`accuracy`): the speed changes once per buffer
_MIDDLE_DELAY_SECONDS = 0.018
_BLOCK = 1 << 16
# The probe is a ramp: its value tells the time. Its low rate keeps it small, its 24 bits make it exact.
_PROBE_RATE, _PROBE_FIRST, _PROBE_LAST = 4000, 0.1, 0.9
_MAP_RATE = 100  # times per second that are read off it
_SCENE_STRIP_GAIN = math.sqrt(0.5)  # a mono mixdown of a scene strip is quieter by Blender's pan law


@dataclass(frozen=True, eq=False)
class Mixdown:
    """The sound of one strip as Blender plays it.

    Attributes:
        waveform: the sound.
        digest: of its samples.
        seconds: (N,) times from the beginning of the sound, rising.
        file_seconds: (N,) times in the file that are played then, never falling.
    """

    waveform: Waveform
    digest: str
    seconds: np.ndarray
    file_seconds: np.ndarray

    def from_file(self, file_seconds: float) -> float:
        """The time from the beginning of the sound at which a time in the file is first played."""
        return _interpolated(file_seconds, self.file_seconds, self.seconds)

    def to_file(self, seconds: float) -> float:
        """The time in the file that is played at a time from the beginning of the sound."""
        return _interpolated(seconds, self.seconds, self.file_seconds)


def _interpolated(value: float, before: np.ndarray, after: np.ndarray) -> float:
    """A value on a curve of times, which goes on at speed 1 beyond its ends."""
    beyond = min(0.0, value - before[0]) + max(0.0, value - before[-1])
    return float(np.interp(value, before, after) + beyond)


def mixed_down(placed: PlacedStrip, part: AudiblePart) -> Mixdown:
    """The sound of one strip as Blender plays it, whatever else is in the scene, and whether it is muted.

    Args:
        placed: the strip.
        part: its audible part.

    Raises:
        InputError: if it cannot be mixed down here.
    """
    name = f"strip {placed.strip.name!r}"
    chain: list[bpy.types.SceneStrip | bpy.types.SoundStrip] = [*placed.through, placed.strip]
    retimed = [holder for holder in chain if len(holder.retiming_keys)]
    holder = retimed[0] if retimed else placed.strip
    if len(retimed) > 1 and reads_speeds_before_strips():
        raise InputError(
            f"{name} is retimed inside the retimed scene strip {retimed[0].name!r}, which may end Blender before 5.2 "
            "(it plays it at random speeds); reset one of the retimings, or render the sound to a file and add that"
        )
    try:
        with tempfile.TemporaryDirectory(prefix="emote-") as folder, _alone(placed, holder) as stage:
            sound_file = Path(folder) / "mixdown.wav"
            _mix(stage, sound_file)
            start = seconds_into(placed, part, holder) + stage.first_seconds - _delay_seconds(holder)
            waveform = load_part(sound_file, start, part.duration_seconds, name, AudSound)
            times = _times(stage, start, part.duration_seconds, Path(folder))
            return Mixdown(waveform, _digest(waveform), *times)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{name} must be mixed down by Blender, which failed ({str(error).strip()}); make room in the temporary "
            "folder, or render its sound to a file and add that"
        ) from error


def _delay_seconds(holder: bpy.types.SceneStrip | bpy.types.SoundStrip) -> float:
    """Seconds by which Blender's sound is later than the retiming keys say, because of what is in its memory.

    Before 5.2 the speed of the first buffers is read from memory that nobody has set: films differ by 0 to 0.037 s
    (measured at 24, 25 and 30 fps), and the middle is taken. A strip that begins with the timeline is exact.
    """
    timing = strip_timing(holder)
    is_exact = (
        not len(holder.retiming_keys)
        or not reads_speeds_before_strips()
        or timing.content_start - timing.trim_start <= 0
    )
    return 0.0 if is_exact else _MIDDLE_DELAY_SECONDS


def _mix(stage: Stage, path: Path) -> None:
    """Write the mixdown of a stage."""
    scene = stage.scene
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        bpy.ops.sound.mixdown(
            filepath=str(path),
            check_existing=False,
            container="WAV",
            codec="PCM",
            format="F32",
            channels="MONO",
            mixrate=_SAMPLE_RATE,
            accuracy=_BUFFER_SAMPLES,
        )


def _times(stage: Stage, start: float, duration: float, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times (N,) of the sound, and (N,) the times in the file that are played then, read off a ramp in its place.

    Args:
        stage: the strip.
        start: time in the mixdown at which the sound begins, seconds.
        duration: length of the sound, seconds.
        folder: for files.
    """
    strip, gain = stage.strip, stage.gain
    owner = expect(strip.id_data, bpy.types.Scene)
    fps = frames_per_second(owner.render.fps, owner.render.fps_base)
    # Twice: the frame rate may be another one since the strip was made.
    file_seconds = 2.0 * content_frames(strip) / fps + abs(strip.sound_offset) + 2.0
    ramp, mixed = folder / "ramp.wav", folder / "times.wav"
    _write_ramp(ramp, file_seconds)
    hidden = hidden_offset(present(strip.sound))
    probe = bpy.data.sounds.load(str(ramp))
    try:
        strip.sound = probe
        if hasattr(strip, "pitch_correction"):
            strip.pitch_correction = False  # it would spoil the ramp; the times are the same
        _mix(stage, mixed)
        samples = load_part(mixed, start, duration, "the mixdown", AudSound).samples
    finally:
        bpy.data.sounds.remove(probe)
    step = _SAMPLE_RATE // _MAP_RATE
    starts = range(0, len(samples), _BLOCK * step)
    values = np.concatenate([samples[first : first + _BLOCK * step][::step] for first in starts])
    is_played = values > 0.5 * _PROBE_FIRST * gain
    if not is_played.any():
        raise InputError(f"nothing of strip {strip.name!r} is heard; check its handles")
    played = (values[is_played] / gain - _PROBE_FIRST) / (_PROBE_LAST - _PROBE_FIRST) * file_seconds - hidden
    return np.flatnonzero(is_played) / _MAP_RATE, np.maximum.accumulate(played.astype(np.float64))


def _write_ramp(path: Path, duration_seconds: float) -> None:
    """Write a sound that rises evenly from _PROBE_FIRST to _PROBE_LAST."""
    num_samples = math.ceil(duration_seconds * _PROBE_RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 3, _PROBE_RATE, num_samples, "NONE", ""))
        for start in range(0, num_samples, _BLOCK):
            rise = np.arange(start, min(start + _BLOCK, num_samples)) / (duration_seconds * _PROBE_RATE)
            values = (_PROBE_FIRST + (_PROBE_LAST - _PROBE_FIRST) * rise) * (2**23 - 1)
            file.writeframesraw(values.astype("<i4")[:, None].view(np.uint8)[:, :3].tobytes())


@dataclass(frozen=True, eq=False)
class Stage:
    """Copies of scenes in which one strip alone sounds.

    Attributes:
        scene: the scene to mix down, whose frame range holds the sound.
        strip: the sound strip, in it or inside its scene strips.
        first_seconds: time in the mixdown at which the content of the retimed strip begins.
        gain: of a mixdown.
    """

    scene: bpy.types.Scene
    strip: bpy.types.SoundStrip
    first_seconds: float
    gain: float


@contextmanager
def _alone(placed: PlacedStrip, outer: bpy.types.SceneStrip | bpy.types.SoundStrip) -> Iterator[Stage]:
    """Copies of the scenes of a strip from that with the strip `outer` on inwards, removed at the end.

    `outer` begins on frame 0: before 5.2 Blender reads speeds from memory in front of it, which may even end
    Blender (its resampler divides by them).
    """
    chain: list[bpy.types.SceneStrip | bpy.types.SoundStrip] = [*placed.through, placed.strip]
    chain = chain[chain.index(outer) :]
    copies: list[bpy.types.Scene] = []
    kept: list[bpy.types.Strip] = []
    try:
        for strip in chain:
            copies.append(expect(strip.id_data, bpy.types.Scene).copy())
            kept.append(present(copies[-1].sequence_editor).strips_all[strip.name])
            _silence_others(copies[-1], kept[-1])
        for holder, copy in zip(kept, copies[1:], strict=False):
            shown = expect(holder, bpy.types.SceneStrip)
            shown.scene, shown.scene_input = copy, "SEQUENCER"
        scene, first = copies[0], kept[0]
        move_strip(outermost(first), -_content_start(first))
        fps = frames_per_second(scene.render.fps, scene.render.fps_base)
        scene.frame_start, scene.frame_end = 0, max(1, math.ceil(handles(first)[1]))
        gain = _SCENE_STRIP_GAIN ** (len(chain) - 1)
        yield Stage(scene, expect(kept[-1], bpy.types.SoundStrip), _content_start(first) / fps, gain)
    finally:
        for copy in reversed(copies):
            bpy.data.scenes.remove(copy)


def _content_start(strip: bpy.types.Strip) -> float:
    """The frame at which the whole content of a strip would begin."""
    timing = strip_timing(strip)
    return timing.content_start - timing.trim_start


def _silence_others(scene: bpy.types.Scene, kept: bpy.types.Strip) -> None:
    """Let only one strip sound in a copied scene, at full volume, and let the scene hold nothing else."""
    scene.animation_data_clear()
    scene.use_audio, scene.audio_volume = True, 1.0
    for item in list(scene.collection.objects):  # speakers would sound, and the rest takes time
        scene.collection.objects.unlink(item)
    for collection in list(scene.collection.children):
        scene.collection.children.unlink(collection)
    around = [kept]
    while (meta := around[-1].parent_meta()) is not None:
        around.append(meta)
    # Gone, not muted: a scene that is shown twice, or shows itself, would be evaluated all the same.
    editor = present(scene.sequence_editor)
    while (other := next((strip for strip in editor.strips_all if _is_other_scene(strip, kept)), None)) is not None:
        meta = other.parent_meta()
        (editor if meta is None else expect(meta, bpy.types.MetaStrip)).strips.remove(other)
    for strip in all_strips(scene):
        strip.mute = strip not in around
    for strip in around:
        meta = strip.parent_meta()
        holder = editor if meta is None else expect(meta, bpy.types.MetaStrip)
        holder.channels[strip.channel].mute = False
        if hasattr(strip, "volume"):
            strip.volume = 1.0
        if isinstance(strip, bpy.types.SoundStrip):
            strip.pan = 0.0


def _is_other_scene(strip: bpy.types.Strip, kept: bpy.types.Strip) -> bool:
    return isinstance(strip, bpy.types.SceneStrip) and strip != kept


def _digest(waveform: Waveform) -> str:
    """A digest of a sound's samples."""
    digest = hashlib.sha256()
    for start in range(0, len(waveform.samples), _BLOCK):
        digest.update(waveform.samples[start : start + _BLOCK].tobytes())
    return digest.hexdigest()
