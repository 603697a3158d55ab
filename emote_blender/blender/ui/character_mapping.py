"""Character Mapping: the table of a character of any origin, its jaw and its bones."""

from __future__ import annotations

from typing import Literal

import bpy

from ...retarget.mapping import KEY
from ...retarget.signals import JAW_NAMES
from ..characters.preview_watch import preview_problem
from ..characters.rig import is_character
from ..characters.table_state import TableState, table_state
from ..narrow import present
from ..settings.character_settings import EMOTE_PG_character, EMOTE_PG_mapping_row
from ..settings.head_settings import head_settings
from ..settings.window_settings import window_settings
from .panel_state import panel_state
from .paragraph import paragraph
from .sidebar import SidebarPanel, shown_head, two_columns

_SHOWN_NAMES = 6
_JAW_NOTE = "Jaw: "


class MappingPanel(SidebarPanel):
    """How the character is moved: which signal moves which shape key, and what opens its mouth"""

    bl_label = "Character Mapping"
    bl_order = 45
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        head = shown_head(panel_state(context))
        return head is not None and is_character(head)

    def draw_header(self, context: bpy.types.Context) -> None:
        head = shown_head(panel_state(context))
        if head is not None and is_character(head):
            state = table_state(head)
            wrong = len(state.rows_of["LOST"] | state.rows_of["DRIVEN"])
            if wrong:
                present(self.layout).label(text=str(wrong), icon="ERROR", translate=False)

    def draw(self, context: bpy.types.Context) -> None:
        layout, head = present(self.layout), shown_head(panel_state(context))
        if head is None:
            return
        character, state = head_settings(head).character, table_state(head)
        _draw_summary(layout, character, state)
        _draw_jaw(layout, context, character)
        _draw_table(layout, context, character, state)
        _draw_problems(layout, state)
        row = layout.row(align=True)
        row.operator("emote.propose_mapping", icon="FILE_REFRESH")
        row.menu("EMOTE_MT_mapping", text="", icon="DOWNARROW_HLT")


class MappingBonesPanel(SidebarPanel):
    """The bones that turn the character's head and eyes"""

    bl_label = "Head and Eyes"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, head = present(self.layout), shown_head(panel_state(context))
        if head is None:
            return
        character = head_settings(head).character
        column = two_columns(layout)
        column.prop(character, "armature")
        bones = column.column()
        bones.enabled = character.armature is not None
        for name in ("neck_bone", "head_bone", "left_eye_bone", "right_eye_bone"):
            bones.prop(character, name, icon="BONE_DATA")
        for note in character.notes.splitlines():
            if not note.startswith(_JAW_NOTE):
                paragraph(layout, note, "INFO")


def _draw_summary(layout: bpy.types.UILayout, character: EMOTE_PG_character, state: TableState) -> None:
    num_meshes = 1 + len(character.meshes)
    parts = (
        character.kind,
        f"{state.num_keys} shape keys",
        f"{num_meshes} mesh{'es' if num_meshes > 1 else ''}",
    )
    layout.label(text=" · ".join(parts), icon="OUTLINER_OB_MESH", translate=False)


def _draw_jaw(layout: bpy.types.UILayout, context: bpy.types.Context, character: EMOTE_PG_character) -> None:
    box = layout.box()
    box.label(text="Mouth Opens By")
    box.row(align=True).prop(character, "jaw", expand=True)
    column = two_columns(box)
    if character.jaw == "BONE":
        column.prop(character, "jaw_bone", icon="BONE_DATA")
        column.prop(character, "jaw_strength", slider=True)
    column.prop(character, "calibrate")
    column.prop(window_settings(context), "preview_jaw", text="Preview")
    for note in character.notes.splitlines():
        if note.startswith(_JAW_NOTE):
            sentence = note.removeprefix(_JAW_NOTE)
            paragraph(column, sentence[:1].upper() + sentence[1:], "INFO")


def _draw_table(
    layout: bpy.types.UILayout, context: bpy.types.Context, character: EMOTE_PG_character, state: TableState
) -> None:
    window = window_settings(context)
    layout.prop(window, "table_filter", text="", icon="FILTER")
    row = layout.row()
    row.template_list("EMOTE_UL_mapping", "", character, "rows", character, "active_row", rows=8)
    buttons = row.column(align=True)
    buttons.operator("emote.add_mapping_row", text="", icon="ADD")
    buttons.operator("emote.remove_mapping_row", text="", icon="REMOVE")
    buttons.operator("emote.duplicate_mapping_row", text="", icon="DUPLICATE")
    if not 0 <= character.active_row < len(character.rows):
        return
    entry = character.rows[character.active_row]
    column = two_columns(layout.box())
    column.prop(entry, "source", icon="RNA")
    column.prop(entry, "target", icon=_icon(entry))
    column.prop(entry, "channel")
    column.prop(entry, "strength")
    column.prop(entry, "offset")
    limits = column.column(align=True)
    limits.prop(entry, "low", text="Limit Low")
    limits.prop(entry, "high", text="High")
    column.prop(window, "preview_row", text="Preview")
    if problem := preview_problem():
        paragraph(column, problem, "ERROR")
    elif sentence := _row_sentence(character, state):
        paragraph(column, sentence, "INFO")


def _row_sentence(character: EMOTE_PG_character, state: TableState) -> str:
    """What to know about the chosen row; empty if there is nothing."""
    index, entry = character.active_row, character.rows[character.active_row]
    if character.jaw == "BONE" and entry.source in JAW_NAMES:
        return "The jaw bone opens the mouth: this row is not used"
    for name, sentence in (
        ("LOST", "Its target is gone: choose another one"),
        ("DRIVEN", "A driver sets its shape key: takes cannot move it"),
        ("DOUBLED", "Another row moves the same: check that both are wanted"),
        ("UNSURE", "Its name only resembles the signal's: switch the row on if it is meant"),
    ):
        if index in state.rows_of[name]:
            return sentence
    return ""


def _draw_problems(layout: bpy.types.UILayout, state: TableState) -> None:
    """What is wrong with the table, and what is missing in it."""
    if lost := len(state.rows_of["LOST"]):
        box = layout.box()
        box.alert = True
        paragraph(box, f"{lost} target{'s are' if lost > 1 else ' is'} gone: renamed or deleted", "ERROR")
        box.operator("emote.clean_mapping", text="Remove These Rows", icon="TRASH")
    if state.unmapped_keys:
        names = [key.removeprefix(state.prefix) for key, _ in state.unmapped_keys]
        paragraph(layout, f"Shape keys of a face that are not used: {_listed(names)}", "INFO")
        layout.menu("EMOTE_MT_unmapped_keys", icon="ADD")
    if state.unmapped_signals:
        paragraph(layout, f"Signals that move nothing: {_listed(state.unmapped_signals)}", "INFO")
        layout.menu("EMOTE_MT_unmapped_signals", icon="ADD")


def _icon(row: EMOTE_PG_mapping_row) -> Literal["SHAPEKEY_DATA", "BONE_DATA"]:
    return "SHAPEKEY_DATA" if row.channel == KEY else "BONE_DATA"


def _bone_text(row: EMOTE_PG_mapping_row) -> str:
    """A bone and what of it a row moves: "jaw · Rotation X"."""
    return f"{row.target} · {row.channel.replace('_', ' ').title()}" if row.target else ""


def _listed(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


class EMOTE_UL_mapping(bpy.types.UIList):
    """The table: a signal, and what it moves"""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index, flt_flag) -> None:
        state = table_state(item.id_data)
        by_bone = data.jaw == "BONE" and item.source in JAW_NAMES
        row = layout.row(align=True)
        row.active = item.enabled and not by_bone
        row.prop(item, "enabled", text="")
        # What all names begin with would hide what they differ in, and sidebars are narrow.
        text = item.target.removeprefix(state.prefix) if item.channel == KEY else _bone_text(item)
        is_lost = index in state.rows_of["LOST"]
        if text == item.source and not is_lost:
            row.label(text=text, icon="SHAPEKEY_DATA", translate=False)
        else:
            split = row.split(factor=0.5, align=True)
            split.label(text=item.source or "—", icon=_icon(item), translate=False)
            target = split.row(align=True)
            target.alert = is_lost
            target.label(text=text or "—", translate=False)
        mark = next((mark for name, mark in _MARKS.items() if index in state.rows_of[name]), "NONE")
        if mark != "NONE":
            row.label(text="", icon=mark)

    def filter_items(self, context: bpy.types.Context, data, property: str):
        rows = getattr(data, property)
        text, wanted = self.filter_name.lower(), window_settings(context).table_filter
        state = table_state(data.id_data)
        chosen = range(len(rows)) if wanted == "ALL" else state.rows_of[wanted]
        flags = [
            self.bitflag_filter_item
            if index in chosen and (text in row.source.lower() or text in row.target.lower())
            else 0
            for index, row in enumerate(rows)
        ]
        return flags, []


_MARKS = {"LOST": "ERROR", "DRIVEN": "DRIVER", "DOUBLED": "DUPLICATE", "UNSURE": "QUESTION"}


class EMOTE_MT_unmapped_keys(bpy.types.Menu):
    """Add a row for a shape key that no row moves; beside it why it was left out"""

    bl_label = "Add Row for Shape Key"

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = present(self.layout), _shown_table(context)
        for key, reason in state.unmapped_keys:
            text = f"{key}   ({reason})" if reason else key
            layout.operator("emote.add_mapping_row", text=text, icon="SHAPEKEY_DATA", translate=False).target = key
        if not state.unmapped_keys:
            layout.label(text="Every shape key of a face is used")


class EMOTE_MT_unmapped_signals(bpy.types.Menu):
    """Add a row for a signal that moves nothing"""

    bl_label = "Add Row for Signal"

    def draw(self, context: bpy.types.Context) -> None:
        layout, state = present(self.layout), _shown_table(context)
        for name in state.unmapped_signals:
            layout.operator("emote.add_mapping_row", text=name, icon="RNA", translate=False).source = name
        if not state.unmapped_signals:
            layout.label(text="Every signal moves something")


def _shown_table(context: bpy.types.Context) -> TableState:
    """The state of the shown character's table; an empty one for other heads."""
    head = shown_head(panel_state(context))
    return table_state(head) if head is not None and is_character(head) else TableState()


class EMOTE_MT_mapping(bpy.types.Menu):
    """More that can be done with the table"""

    bl_label = "Mapping"

    def draw(self, context: bpy.types.Context) -> None:
        layout = present(self.layout)
        layout.operator("emote.propose_mapping", text="Propose All Anew", icon="FILE_REFRESH").keep_edited = False
        layout.separator()
        layout.operator("emote.load_mapping", text="Load Preset…", icon="IMPORT")
        layout.operator("emote.save_mapping", text="Save Preset…", icon="EXPORT")
        layout.separator()
        layout.operator("emote.remove_character", icon="TRASH")
