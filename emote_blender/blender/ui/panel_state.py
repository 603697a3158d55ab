"""What the panel shows and must compute: once per change, never per redraw, without references to Blender data."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ...errors import EmoteError, InputError
from ...retarget.compatibility import check_fits_head
from .. import bundle
from ..compat import active_strip, sequencer_scene
from ..head.rig import HeadRig, rig_of
from ..narrow import present, shape_keys_of, window_scene
from ..requirements import missing_sentence
from ..scene import changes
from ..scene.find_head import choose_head, heads_in
from ..scene.strips import find_strip, sound_strips, strip_scene
from ..scene.take import rig_warnings
from ..settings.model_info import ModelInfo, model_info
from ..settings.properties import EMOTE_PG_settings, scene_settings
from ..settings.transcript import EMOTE_PG_strip, strip_settings


@dataclass(frozen=True)
class PanelState:
    """What follows from the scene and its settings.

    Attributes:
        head: name of the head that would speak; empty if none is chosen or it cannot be animated.
        identity_keys: its identity shape keys.
        model: what the model's folder says.
        default_strip: the strip that is used if none is chosen; empty if there is no such strip.
        strip: the strip that is used, which keeps the transcript; empty for a file, or if there is none.
        strips_are_elsewhere: whether the strips are those of the sequencer's scene instead of the window's.
        cautions: what to know before Generate is pressed, one sentence each.
        why_not: why Generate cannot be pressed; empty if it can.
    """

    head: str
    identity_keys: tuple[str, ...]
    model: ModelInfo
    default_strip: str
    strip: str
    strips_are_elsewhere: bool
    cautions: tuple[str, ...]
    why_not: str


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
    settings, scene = scene_settings(window_scene(context)), strip_scene(context)
    model = model_info(settings.model)
    default_strip = _strip_name(scene, "")
    strip = "" if settings.source == "FILE" else _strip_name(scene, settings.strip)
    owner: EMOTE_PG_settings | EMOTE_PG_strip | None = settings if settings.source == "FILE" else None
    if strip:
        owner = strip_settings(present(scene.sequence_editor).strips_all[strip])
    has_transcript = owner is not None and bool(owner.transcript.strip())
    rig, no_rig = _rig(context)
    blocks = shape_keys_of(rig.mesh).key_blocks if rig else ()
    return PanelState(
        head=rig.mesh.name if rig else "",
        identity_keys=tuple(name for name in rig.shape_keys if name in blocks) if rig else (),
        model=model,
        default_strip=default_strip,
        strip=strip,
        strips_are_elsewhere=scene != window_scene(context),
        cautions=tuple(_cautions(model, has_transcript, rig)),
        why_not=missing_sentence() or no_rig or _no_sound(settings, scene, default_strip, strip),
    )


def is_non_commercial(licence: str) -> bool:
    """Whether a licence's text forbids commercial use."""
    text = licence.lower().replace("-", "").replace(" ", "")
    return "noncommercial" in text or "bync" in text


def _key(context: bpy.types.Context) -> tuple:
    """What the state depends on and is cheap to read; the count of changes covers the rest."""
    scene, shown = window_scene(context), sequencer_scene(context)
    settings = scene_settings(scene)
    active, picked = present(context.view_layer).objects.active, settings.head
    strips = [active_strip(scene), active_strip(shown)]
    return (
        changes.count(),
        bpy.data.filepath,
        scene.session_uid,
        shown.session_uid,
        active and active.session_uid,
        picked and picked.session_uid,
        *(strip and strip.name for strip in strips),
        settings.source,
        settings.strip,
        settings.audio,
        settings.model,
    )


def _rig(context: bpy.types.Context) -> tuple[HeadRig | None, str]:
    """The rig of the head that would speak, or None and why there is none."""
    scene = window_scene(context)
    try:
        head = choose_head(context, picked=scene_settings(scene).head)
    except InputError:
        several = heads_in(scene)
        return None, "Choose the head that speaks" if several else "The scene has no head: press Add Head"
    try:
        return rig_of(head), ""
    except InputError as error:
        return None, str(error)


def _strip_name(scene: bpy.types.Scene, name: str) -> str:
    """Name of the strip that is used; empty if there is none."""
    try:
        return find_strip(scene, name).name
    except InputError:
        return ""


def _no_sound(settings: EMOTE_PG_settings, scene: bpy.types.Scene, default_strip: str, strip: str) -> str:
    """Why there is no sound to speak; empty if there is one."""
    if settings.source == "FILE":
        return "" if settings.audio else "Choose a sound file"
    if not sound_strips(scene):
        return "The sequencer has no sound strip: add one there, or choose File"
    if settings.strip:
        return "" if strip else f"The sound strip {settings.strip!r} is gone: choose another"
    return "" if default_strip else "Choose a sound strip"


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
            check_fits_head("the model", model.face, model.num_expression, model.expression_names, rig)
        except EmoteError as error:
            sentences.append(str(error))
        sentences.extend(rig_warnings("the model", model.face, rig))
    return sentences
