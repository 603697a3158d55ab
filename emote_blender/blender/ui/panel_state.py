"""What the panel shows and must compute: once per change, never per redraw, without references to Blender data."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from ...errors import EmoteError, InputError
from ...retarget.conversion import check_can_show
from .. import bundle
from ..characters.choose import head_or_face
from ..characters.set_up import recognised_face
from ..check.takes import TakeWarning, take_warnings
from ..compat import active_strip, sequencer_scene
from ..head.blink_keys import names_blinks
from ..head.emotion_poses import has_poses
from ..head.head_rig import HeadRig
from ..head.linked import missing_files
from ..head.rig import head_of, rig_of
from ..jobs.ready import NO_HEAD
from ..narrow import mesh_of, present, shape_keys_of, window_scene
from ..requirements import missing_sentence
from ..scene import changes
from ..scene.emotion_keys import owner_of_keys
from ..scene.find_head import heads_near, no_head_sentence
from ..scene.movie_strips import find_movie
from ..scene.placed_strip import PlacedStrip
from ..scene.sound_part import part_of_file, part_of_strip
from ..scene.strips import chosen_strips, placed_strips, strip_scene, strips_by_name
from ..scene.unheard import why_unheard
from ..settings.chosen_head import chosen_head, speech_settings
from ..settings.head_settings import head_settings
from ..settings.model_info import ModelInfo, model_info
from ..settings.properties import scene_settings
from ..settings.transcript import EMOTE_PG_strip, strip_settings
from ..takes.editing import edited_action
from ..takes.make import rig_warnings
from ..takes.make_animatable import can_be_made_animatable
from ..takes.store import is_take
from .words_state import WordsState, words_state

if TYPE_CHECKING:
    from ..settings.transcript import SpeechSettings


@dataclass(frozen=True)
class TakeRow:
    """A take in the list.

    Attributes:
        place: its place in the list, in which the takes of a line follow each other.
        is_alternate: whether it is not the first of its line.
        warning: what is wrong with it, or None.
    """

    place: int
    is_alternate: bool
    warning: TakeWarning | None = None


@dataclass(frozen=True)
class PanelState:
    """What follows from the scene and its settings.

    Attributes:
        head: name of the head that would speak; empty if none is chosen.
        candidate: name of the selected character, if it could speak but is not set up; empty otherwise.
        head_library: path of the library that it is linked from, or None.
        linked: name of the selected character or of the head, if what takes would move is linked from another file.
        identity_keys: its identity shape keys, each with its name in words.
        needs_blink_keys: whether nothing closes its lids yet.
        has_emotion_poses: whether it can be given the faces of the emotions.
        takes: its takes, in the order in which they are stored.
        plays_old_take: whether its active action is a take of an earlier version, which is in no list.
        is_editing: whether the keys of one of its takes are being edited (tweak mode of the NLA).
        model: what the model's folder says.
        model_facts: licence and others of the model, each with its name.
        default_strip: the strip that is used if none is chosen; empty if there is no such strip.
        strip: the strip that is used; empty for a file, or if there is none, or if there are several.
        strip_scene: name of the scene whose strips are used.
        strip_names: names of its sound strips.
        own_strip: name of the strip that is used in the scene that holds it, where it keeps the transcript.
        strip_owner: name of that scene; another than `strip_scene` for a strip inside a scene strip.
        cautions: what to know before Generate is pressed, one sentence each.
        words: what is said about the words of the sound.
        remarks: what to know about the sound and its words, one sentence each.
        list_is_unused: whether the emotion has keys that were set by hand, which its list of moments leaves alone.
        why_not: why Generate cannot be pressed; empty if it can.
        movie: name of the movie strip that is captured; empty without one.
        why_no_capture: why a video cannot be captured; empty if it can.
    """

    head: str
    candidate: str
    head_library: str | None
    linked: str
    identity_keys: tuple[tuple[str, str], ...]
    needs_blink_keys: bool
    has_emotion_poses: bool
    takes: tuple[TakeRow, ...]
    plays_old_take: bool
    is_editing: bool
    model: ModelInfo
    model_facts: tuple[tuple[str, str], ...]
    default_strip: str
    strip: str
    strip_scene: str
    strip_names: frozenset[str]
    own_strip: str
    strip_owner: str
    cautions: tuple[str, ...]
    words: WordsState
    remarks: tuple[str, ...]
    list_is_unused: bool
    why_not: str
    movie: str
    why_no_capture: str


_MOST_STATES = 16  # windows and workspaces that show different scenes
_states: dict[tuple, PanelState] = {}


def panel_state(context: bpy.types.Context) -> PanelState:
    """The state of the panel; computed only if something has changed since the last call."""
    key = _key(context)
    state = _states.get(key)
    if state is None:
        if len(_states) >= _MOST_STATES:
            _states.clear()
        state = _states[key] = work_out_state(context)
    return state


def forget_states() -> None:
    """Clear the cache of states."""
    _states.clear()


def work_out_state(context: bpy.types.Context) -> PanelState:
    """The state of the panel as the scene is now."""
    head, rig, no_rig = _rig(context)
    settings = speech_settings(context)
    scene = strip_scene(context, settings.strip, head)
    model = model_info(settings.model)
    default = _chosen(scene, "")
    chosen = [] if settings.source == "FILE" else _chosen(scene, settings.strip)
    placed = chosen[0] if len(chosen) == 1 else None
    owner: SpeechSettings | EMOTE_PG_strip | None = settings if settings.source == "FILE" else None
    part = part_of_file(settings.audio) if settings.source == "FILE" else None
    if placed is not None:
        owner, part = strip_settings(placed.strip), part_of_strip(placed)
    words = words_state(owner, part) if owner is not None else WordsState()
    has_transcript = owner is not None and bool(owner.transcript.strip()) and words.is_used
    blocks = shape_keys_of(rig.mesh).key_blocks if rig and rig.shape_keys else ()
    movie, no_movie = _movie(context)
    return PanelState(
        head=head.name if head else "",
        candidate=_candidate(context),
        head_library=head.library.filepath if head and head.library else None,
        linked=_linked(context),
        identity_keys=tuple((name, in_words(name)) for name in rig.shape_keys if name in blocks) if rig else (),
        needs_blink_keys=rig is not None and not rig.blink_keys and not names_blinks(rig.expression_names),
        has_emotion_poses=rig is not None and has_poses(rig),
        takes=_take_rows(context, head) if head else (),
        plays_old_take=head is not None and _plays_old_take(head),
        is_editing=rig is not None and _is_editing(rig),
        model=model,
        model_facts=() if model.problem else (("Face", model.face), ("Licence", model.licence), ("Engine", _engine())),
        default_strip=_shown_name(default),
        strip=placed.name if placed is not None else "",
        strip_scene=scene.name,
        strip_names=frozenset(strips_by_name([scene])),
        own_strip=placed.strip.name if placed is not None else "",
        strip_owner=placed.owner.name if placed is not None else "",
        cautions=tuple(_cautions(model, has_transcript, rig)),
        words=words,
        remarks=(*_remarks(settings, chosen), *filter(None, [words.remark])),
        list_is_unused=head is not None and len(head_settings(head).moments) > 0 and owner_of_keys(head) == "ARTIST",
        why_not=missing_sentence() or no_rig or _no_sound(settings, scene, chosen),
        movie=movie,
        why_no_capture=missing_sentence() or no_rig or no_movie,
    )


def in_words(name: str) -> str:
    """A shape key's name as words: "faceWidth" is "Face Width"; names of another kind stay as they are."""
    if not re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", name):
        return name
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:1].upper() + name[1:])


def is_non_commercial(licence: str) -> bool:
    """Whether a licence's text forbids commercial use."""
    text = licence.lower().replace("-", "").replace(" ", "")
    return "noncommercial" in text or "bync" in text


def _key(context: bpy.types.Context) -> tuple:
    """What the state depends on and is cheap to read; the count of changes covers the rest."""
    scene, shown = window_scene(context), sequencer_scene(context)
    settings = scene_settings(scene)
    active, pinned = present(context.view_layer).objects.active, settings.head
    strips = [active_strip(scene), active_strip(shown)]
    return (
        changes.count(),
        bpy.data.filepath,
        scene.session_uid,
        shown.session_uid,
        active and active.session_uid,
        pinned and pinned.session_uid,
        *(strip and strip.name for strip in strips),
        settings.source,
        settings.strip,
        settings.audio,
        settings.model,
        settings.video.source,
        settings.video.strip,
        settings.video.filepath,
    )


def _rig(context: bpy.types.Context) -> tuple[bpy.types.Object | None, HeadRig | None, str]:
    """The head that would speak and its rig, or None and why there is none."""
    try:
        head = chosen_head(context)
    except InputError:
        several = heads_near(context)
        if several:
            return None, None, "Select the head that speaks"
        if name := _candidate(context):
            return None, None, f"{name} can speak: press Use Selected Character"
        return None, None, no_head_sentence() if missing_files() else NO_HEAD
    try:
        return head, rig_of(head), ""
    except InputError as error:
        return head, None, str(error)


def _linked(context: bpy.types.Context) -> str:
    """Name of the selected character, or else of the head that would speak, if it has to be made animatable first."""
    try:
        face = head_or_face(context)
    except InputError:
        return ""
    return face.name if can_be_made_animatable(face) else ""


def _candidate(context: bpy.types.Context) -> str:
    """Name of the selected character, if it has a face but is no head yet."""
    active = present(context.view_layer).objects.active
    if active is None or head_of(active) is not None:
        return ""
    face = recognised_face(active, window_scene(context))
    return face.name if face is not None else ""


def _plays_old_take(head: bpy.types.Object) -> bool:
    """Whether the active action of a head's shape keys is a take, as versions 0.1 and 0.2 made them."""
    keys = mesh_of(head).shape_keys
    data = keys.animation_data if keys is not None else None
    return data is not None and not data.use_tweak_mode and is_take(data.action)


def _is_editing(rig: HeadRig) -> bool:
    """Whether an NLA strip of the head is in tweak mode."""
    return edited_action(rig) is not None


def _take_rows(context: bpy.types.Context, head: bpy.types.Object) -> tuple[TakeRow, ...]:
    """The takes of a head as the list shows them: by the time and name of their line, then as they were made."""
    takes = head_settings(head).takes
    starts: dict[str, float] = {}
    for take in takes:
        starts[take.line] = min(take.frame_start, starts.get(take.line, take.frame_start))
    order = sorted(range(len(takes)), key=lambda index: (starts[takes[index].line], takes[index].line, index))
    places = {index: place for place, index in enumerate(order)}
    first = {takes[index].line: index for index in reversed(order)}
    warnings = take_warnings(context, head) if len(takes) else {}
    return tuple(
        TakeRow(places[index], first[take.line] != index, warnings.get(take.name)) for index, take in enumerate(takes)
    )


def _engine() -> str:
    """The library that runs speech models, with its version."""
    name = "onnxruntime"
    return f"ONNX Runtime {bundle.installed_versions(sys.path).get(name, '')}".strip()


def _remarks(settings: SpeechSettings, chosen: list[PlacedStrip]) -> list[str]:
    """What to know about the sound that is spoken."""
    if settings.source == "FILE" and settings.audio:
        return ["A sound file is not heard in playback: press Add as Strip"]
    unheard = next(filter(None, map(why_unheard, chosen)), "")
    return [unheard[0].upper() + unheard[1:]] if unheard else []


def _chosen(scene: bpy.types.Scene, name: str) -> list[PlacedStrip]:
    """The strips that are used: several if a meta strip or a scene strip is meant; none if there is none."""
    try:
        return chosen_strips(scene, name)
    except InputError:
        return []


def _shown_name(chosen: list[PlacedStrip]) -> str:
    """What the panel calls the strips that are used; empty if there are none."""
    return chosen[0].name if len(chosen) == 1 else f"{chosen[0].name} (+{len(chosen) - 1})" if chosen else ""


def _no_sound(settings: SpeechSettings, scene: bpy.types.Scene, chosen: list[PlacedStrip]) -> str:
    """Why there is no sound to speak; empty if there is one."""
    if settings.source == "FILE":
        return "" if settings.audio else "Choose a sound file"
    if not placed_strips(scene):
        return "The sequencer has no sound strip: add one there, or choose File"
    if settings.strip:
        return "" if chosen else f"The sound strip {settings.strip!r} is gone: choose another"
    return "" if chosen else "Choose a sound strip"


def _movie(context: bpy.types.Context) -> tuple[str, str]:
    """The name of the movie strip that is captured, and why nothing can be; the other is empty."""
    settings = scene_settings(window_scene(context)).video
    if settings.source == "FILE":
        return "", "" if settings.filepath else "Choose a video file"
    try:
        return find_movie(context, settings.strip).name, ""
    except InputError as error:
        sentence = str(error)
        return "", sentence[0].upper() + sentence[1:]


def _cautions(model: ModelInfo, has_transcript: bool, rig: HeadRig | None) -> list[str]:
    """Libraries of other extensions, licences that restrict the use, and what does not fit between model and head."""
    sentences = list(bundle.state().cautions)
    if not model.problem and is_non_commercial(model.licence):
        sentences.append("The model is for non-commercial use only")
    if has_transcript and not model.problem and not model.uses_transcript:
        sentences.append("The model cannot use the transcript: the sound alone will be followed")
    if rig is None:
        return sentences
    if is_non_commercial(rig.licence):
        sentences.append(f"The head {rig.mesh.name!r} is for non-commercial use only")
    if not model.problem:
        try:
            check_can_show("the model", model.face, model.num_expression, model.expression_names, rig)
        except EmoteError as error:
            sentences.append(str(error))
        sentences.extend(rig_warnings("the model", model.face, rig))
    return sentences
