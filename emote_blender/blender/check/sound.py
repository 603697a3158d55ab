"""What keeps the sound of takes from being heard, or from being where the take is."""

from __future__ import annotations

from ...errors import InputError
from ...motion_tools.timing import frames_per_second
from ..scene.placed_strip import AudiblePart, PlacedStrip, audible_part
from ..scene.strips import placed_strips, sound_file, strips_by_name
from ..scene.unheard import scene_silencers, shows_camera, silencers
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes.idle import is_idle
from ..takes.manage import retime_take
from .problem import Fix, Problem, is_or_are, listed, was_or_were
from .subject import Subject, sound_scenes
from .timing import is_of_another_rate

_FRAMES_TOLERANCE = 0.75  # a strip begins between frames, a take on one
_SECONDS_TOLERANCE = 0.061  # a motion has whole frames of 1/25 s, and begins on a frame of the scene


def muted_scene(subject: Subject) -> Problem | None:
    """A scene whose sound is off."""
    scenes = [scene for scene in sound_scenes(subject) if placed_strips(scene)]
    silent = [scene for scene in scenes if any(scene_silencers(scene))]
    if not silent:
        return None
    return Problem(
        "WARNING",
        f"the sound of the scene {silent[0].name!r} is off (Mute in Timeline > Playback, or its volume is 0): "
        "switch it on",
        "SCENE_AUDIO",
    )


def muted_sound(subject: Subject) -> Problem | None:
    """Strips of takes in use that are muted, alone or with their channel."""
    names = [placed.name for _, placed in _pairs(subject) if any(silencers(placed))]
    if not names:
        return None
    return Problem(
        "WARNING",
        f"the sound strip {listed(map(repr, names))} {is_or_are(len(names))} muted (itself, its channel, or by volume "
        "0), so the face speaks without a voice: unmute it",
        "SOUND_MUTED",
    )


def silent_scene_strip(subject: Subject) -> Problem | None:
    """Scene strips around strips of takes in use that show a camera, and so play no sound."""
    clause = next(filter(None, (shows_camera(placed) for _, placed in _pairs(subject))), "")
    if not clause:
        return None
    return Problem("WARNING", f"{clause}: the face speaks without a voice; set it, or add the sound to this scene too")


def lost_sound(subject: Subject) -> Problem | None:
    """Strips of takes in use whose sound file is gone."""
    lost = []
    for _, placed in _pairs(subject):
        sound = placed.strip.sound
        if sound is None or (sound.packed_file is None and not sound_file(sound).is_file()):
            lost.append(placed.name)
    if not lost:
        return None
    return Problem(
        "WARNING",
        f"the sound file of the strip {listed(map(repr, lost))} is missing: put it back, or choose it again in the "
        "strip",
    )


def moved_sound(subject: Subject) -> Problem | None:
    """Takes that are not where their sound is, because the strip or the take was moved."""
    moved = [(take, placed) for take, placed in _pairs(subject) if is_moved(subject, take, placed)]
    if not moved:
        return None
    take, placed = moved[0]
    more = f" (and {len(moved) - 1} more)" if len(moved) > 1 else ""
    return Problem(
        "WARNING",
        f"the take {take.name!r}{more} begins at frame {subject.first_frame(take):.0f}, which is not where its sound "
        f"is (strip {placed.name!r}): retime it",
        "RETIME",
    )


def trimmed_sound(subject: Subject) -> Problem | None:
    """Strips that show another part of their sound than the take speaks."""
    trimmed = [placed.name for take, placed in _pairs(subject) if is_trimmed(take, placed)]
    if not trimmed:
        return None
    return Problem(
        "WARNING",
        f"the strip {listed(map(repr, trimmed))} {was_or_were(len(trimmed))} trimmed since its take was made, so the "
        "face speaks more or less than is heard: generate the take again",
    )


def no_sound(subject: Subject) -> Problem | None:
    """Takes without a strip in the scene that is played."""
    played = strips_by_name(sound_scenes(subject))
    silent = [take.name for take in subject.takes if take.line not in played and not is_idle(take)]
    if not silent:
        return None
    return Problem(
        "INFO",
        f"the take {listed(map(repr, silent))} has no sound strip in the scene {subject.scene.name!r}, so it plays "
        "without a voice: add its sound to the sequencer",
    )


def sound_elsewhere(subject: Subject) -> Problem | None:
    """Strips in another scene than the one that is played in the 3D viewport."""
    scenes = [placed.scene for _, placed in _pairs(subject)]
    if not scenes or subject.scene in scenes:
        return None
    return Problem(
        "INFO",
        f"the sound is in the scene {scenes[0].name!r}: play it there (Space over the sequencer), as playing "
        f"{subject.scene.name!r} is silent",
    )


def is_moved(subject: Subject, take: EMOTE_PG_take, placed: PlacedStrip) -> bool:
    """Whether a take is not where its strip shows the part of the sound that it speaks."""
    render = placed.scene.render
    now = _audible(placed)
    if now is None:
        return False
    fps = frames_per_second(render.fps, render.fps_base)
    place = now.frame_start + (take.source_start_seconds - now.source_start_seconds) * fps
    return abs(place - subject.first_frame(take)) > _FRAMES_TOLERANCE


def is_trimmed(take: EMOTE_PG_take, placed: PlacedStrip) -> bool:
    """Whether a strip shows another part of its sound than a take speaks."""
    now = _audible(placed)
    return now is not None and (
        abs(now.source_start_seconds - take.source_start_seconds) > _SECONDS_TOLERANCE
        or abs(now.duration_seconds - take.duration_seconds) > _SECONDS_TOLERANCE
    )


def _audible(placed: PlacedStrip) -> AudiblePart | None:
    """The part of a strip that is played; None if there is none, which other sentences say."""
    try:
        return audible_part(placed)
    except InputError:
        return None


def _pairs(subject: Subject) -> list[tuple[EMOTE_PG_take, PlacedStrip]]:
    """The takes in use with their strips."""
    strips = strips_by_name(sound_scenes(subject))
    return [(take, strips[take.line]) for take in subject.takes if take.line in strips]


def _retime(subject: Subject) -> None:
    moved = [take.name for take, placed in _pairs(subject) if is_moved(subject, take, placed)]
    takes = head_settings(subject.head).takes
    for name in [take.name for take in subject.takes if is_of_another_rate(subject, take) or take.name in moved]:
        retime_take(subject.head, takes[name])


def _unmute(subject: Subject) -> None:
    for _, placed in _pairs(subject):
        for silencer in list(silencers(placed)):
            silencer.undo()


def _scene_audio(subject: Subject) -> None:
    for scene in sound_scenes(subject):
        if placed_strips(scene):
            for silencer in scene_silencers(scene):
                silencer.undo()


CHECKS = (
    muted_scene,
    muted_sound,
    silent_scene_strip,
    lost_sound,
    moved_sound,
    trimmed_sound,
    no_sound,
    sound_elsewhere,
)
FIXES = {
    "RETIME": Fix("Retime", "Put the takes where their sound is now, at the scene's frame rate", _retime),
    "SCENE_AUDIO": Fix("Sound On", "Let the scene play its sound", _scene_audio),
    "SOUND_MUTED": Fix("Unmute", "Unmute the strips of the takes, and their channels", _unmute),
}
