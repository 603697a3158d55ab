"""The panel EMOTE in the sidebars of the 3D viewport and of the sequencer."""

from __future__ import annotations

import textwrap

import bpy

from ..matching import check_fits_head
from .animate import rig_warnings
from .compat import active_strip
from .head_rig import choose_head, heads_in, rig_of
from .job_operator import draw_progress
from .model_info import model_info
from .requirements import missing_libraries, missing_sentence
from .sound_strips import sound_strips, strip_scene
from .transcripts import transcript_owner

_PIXELS_PER_LETTER = 6.5
_LETTERS_PER_ICON = 3
_NUM_IDENTITY_SLIDERS = 10


class _SpeechPanel:
    """What both sidebars show."""

    bl_label = "EMOTE"
    bl_category = "EMOTE"
    bl_region_type = "UI"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        settings = context.scene.emote
        self._draw_head(context, settings)
        layout.separator()
        self._draw_sound(context, settings)
        layout.separator()
        self._draw_model(settings)
        self._draw_cautions(context)
        layout.separator()
        column = layout.column()
        column.prop(settings, "emotion")
        column.prop(settings, "intensity", slider=True)
        layout.separator()
        self._draw_generate(context, settings)
        layout.operator("emote.apply_motion", icon="IMPORT")

    def _draw_head(self, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
        column = self.layout.column()
        column.prop(settings, "head")
        row = column.row(align=True)
        row.use_property_split = False
        row.prop(settings, "new_head", text="")
        row.operator("emote.add_head", icon="ADD")

    def _draw_sound(self, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
        column = self.layout.column()
        column.row().prop(settings, "source", expand=True)
        if settings.source == "STRIP":
            column.prop(settings, "strip", icon="SOUND", placeholder=_default_strip(context))
        else:
            column.prop(settings, "audio")
            column.prop(settings, "frame_start")
        owner = transcript_owner(strip_scene(context), settings)
        if owner is not None:
            row = column.row(align=True)
            row.prop(owner, "transcript", placeholder="Words, if you have them")
            row.menu("EMOTE_MT_transcript", text="", icon="DOWNARROW_HLT")
            if owner.transcript.strip():
                column.prop(owner, "language")

    def _draw_model(self, settings: bpy.types.PropertyGroup) -> None:
        column = self.layout.column()
        column.prop(settings, "model")
        info = model_info(settings.model)
        if info.problem:
            _paragraph(column, info.problem, "ERROR", self._width)
            return
        column.prop(settings, "speaker", placeholder=info.speakers[0])
        _paragraph(column, f"Face {info.face}, licence {info.licence}", "INFO", self._width)

    def _draw_cautions(self, context: bpy.types.Context) -> None:
        for sentence in cautions(context):
            box = self.layout.box()
            box.alert = True
            _paragraph(box, sentence, "ERROR", self._width)

    def _draw_generate(self, context: bpy.types.Context, settings: bpy.types.PropertyGroup) -> None:
        layout = self.layout
        if draw_progress(layout):
            return
        reason = why_not(context)
        row = layout.row()
        row.scale_y = 1.5
        row.enabled = not reason
        row.operator("emote.generate", icon="PLAY_SOUND")
        if reason:
            _paragraph(layout, reason, "ERROR", self._width)
        elif settings.last_result:
            _paragraph(layout, settings.last_result, "NONE", self._width)

    @property
    def _width(self) -> int:
        """Letters that fit into one line."""
        region, scale = bpy.context.region, bpy.context.preferences.system.ui_scale
        return max(20, int(region.width / (_PIXELS_PER_LETTER * scale)) - 4) if region else 40


class EMOTE_PT_view3d(_SpeechPanel, bpy.types.Panel):
    """EMOTE in the 3D viewport"""

    bl_space_type = "VIEW_3D"


class EMOTE_PT_identity(bpy.types.Panel):
    """The first identity components of the chosen head"""

    bl_label = "Head Shape"
    bl_category = "EMOTE"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_parent_id = "EMOTE_PT_view3d"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(_identity_keys(context))

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        column.use_property_split = True
        for key in _identity_keys(context)[:_NUM_IDENTITY_SLIDERS]:
            column.prop(key, "value", text=key.name)
        column.operator("emote.update_joints", icon="BONE_DATA")


class EMOTE_PT_sequencer(_SpeechPanel, bpy.types.Panel):
    """EMOTE in the sequencer"""

    bl_space_type = "SEQUENCE_EDITOR"


def cautions(context: bpy.types.Context) -> list[str]:
    """What to know before Generate is pressed: licences that bind, and what does not fit between model and head."""
    from ..errors import EmoteError

    settings = context.scene.emote
    info = model_info(settings.model)
    sentences = []
    if not info.problem and is_non_commercial(info.licence):
        sentences.append("The model is for non-commercial use only")
    owner = transcript_owner(strip_scene(context), settings)
    if owner is not None and owner.transcript.strip() and not info.problem and not info.uses_transcript:
        sentences.append("The model cannot use the transcript: the sound alone will be followed")
    try:
        rig = rig_of(choose_head(context, picked=settings.head))
    except EmoteError:
        return sentences  # why_not says it, or the operator when it is pressed
    if is_non_commercial(rig.licence):
        sentences.append(f"The head {rig.mesh.name!r} is for non-commercial use only")
    if not info.problem:
        try:
            check_fits_head("the model", info.face, info.num_expression, info.expression_names, rig)
        except EmoteError as error:
            sentences.append(str(error))
        sentences.extend(rig_warnings("the model", info.face, rig))
    return sentences


def is_non_commercial(licence: str) -> bool:
    """Whether a licence's text says that what it covers must not be used commercially."""
    text = licence.lower().replace("-", "").replace(" ", "")
    return "noncommercial" in text or "bync" in text


def _identity_keys(context: bpy.types.Context) -> list[bpy.types.ShapeKey]:
    """Identity shape keys of the chosen head; empty if there is none."""
    from ..errors import EmoteError

    try:
        rig = rig_of(choose_head(context, picked=context.scene.emote.head))
    except EmoteError:
        return []
    blocks = rig.mesh.data.shape_keys.key_blocks
    return [blocks[name] for name in rig.shape_keys if name in blocks]


def why_not(context: bpy.types.Context) -> str:
    """Why the scene's choices cannot be generated; empty if nothing is known to be in the way."""
    from ..errors import EmoteError

    settings = context.scene.emote
    if missing_libraries():
        return missing_sentence()
    if not heads_in(context.scene):
        return "The scene has no head: press Add Head"
    try:
        choose_head(context, picked=settings.head)
    except EmoteError:
        return "Choose the head that speaks"
    if settings.source == "FILE":
        return "" if settings.audio else "Choose a sound file"
    scene = strip_scene(context)
    names = [strip.name for strip in sound_strips(scene)]
    if not names:
        return "The sequencer has no sound strip: add one there, or choose File"
    if settings.strip:
        return "" if settings.strip in names else f"The sound strip {settings.strip!r} is gone: choose another"
    return "" if _default_strip(context) else "Choose a sound strip"


def _default_strip(context: bpy.types.Context) -> str:
    """The strip that is meant when none is chosen: the active one, or the only one."""
    scene = strip_scene(context)
    active = active_strip(scene)
    if active is not None and active.type == "SOUND":
        return active.name
    strips = sound_strips(scene)
    return strips[0].name if len(strips) == 1 else ""


def _paragraph(layout: bpy.types.UILayout, text: str, icon: str, width: int) -> None:
    """A sentence in as many lines as it needs."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(paragraph_lines(text, icon, width)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE")


def paragraph_lines(text: str, icon: str, width: int) -> list[str]:
    """The text in lines that fit into `width` letters, an icon before each of them counted."""
    return textwrap.wrap(text, width if icon == "NONE" else width - _LETTERS_PER_ICON)
