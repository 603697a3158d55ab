"""The sub-panel Check: a row for each topic that is well, and a row with its fix for each problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..check.find import FIXES, TOPICS
from ..check.problem import Problem, Severity
from ..check.shown import shown_problems
from ..narrow import present
from .panel_state import panel_state
from .paragraph import Icon, paragraph

if TYPE_CHECKING:
    _Panel = bpy.types.Panel
else:
    _Panel = object  # a plain mixin at run time: only the registered classes derive from Blender's

_ICONS: dict[Severity, Icon] = {"ERROR": "CANCEL", "WARNING": "ERROR", "INFO": "INFO"}


class _CheckPanel(_Panel):
    """Why does nothing move?"""

    bl_label = "Check"
    bl_category = "EMOTE"
    bl_region_type = "UI"
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 60

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _head(context) is not None

    def draw_header(self, context: bpy.types.Context) -> None:
        head = _head(context)
        if head is not None and any(
            problem.severity != "INFO" for found in shown_problems(context, head).values() for problem in found
        ):
            present(self.layout).label(icon="ERROR")

    def draw(self, context: bpy.types.Context) -> None:
        layout, head = present(self.layout), _head(context)
        if head is None:
            return
        found = shown_problems(context, head)
        for topic in TOPICS:
            rows = found.get(topic.label, [])
            if not rows:
                layout.label(text=topic.label, icon="CHECKMARK")
            for problem in rows:
                _draw_problem(layout.box(), problem, head.name)
        layout.operator("emote.check", icon="VIEWZOOM").head = head.name


def _head(context: bpy.types.Context) -> bpy.types.Object | None:
    """The head that the panel is about."""
    name = panel_state(context).head
    return bpy.data.objects.get((name, None)) if name else None


def _draw_problem(box: bpy.types.UILayout, problem: Problem, head: str) -> None:
    box.alert = problem.severity != "INFO"
    paragraph(box, problem.sentence, _ICONS[problem.severity])
    row = box.row()
    for identifier in problem.fixes:
        button = row.operator("emote.fix", text=FIXES[identifier].label)
        button.problem, button.head = identifier, head


class EMOTE_PT_check(_CheckPanel, bpy.types.Panel):
    """Check in the 3D viewport."""

    bl_space_type = "VIEW_3D"
    bl_parent_id = "EMOTE_PT_view3d"


class EMOTE_PT_check_sequencer(_CheckPanel, bpy.types.Panel):
    """Check in the sequencer."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_parent_id = "EMOTE_PT_sequencer"
