"""Check: a row for each topic that is well, and for each problem a sentence with its fix."""

from __future__ import annotations

import bpy

from ..check.find import FIXES, TOPICS
from ..check.problem import Problem, Severity
from ..check.shown import shown_problems
from ..narrow import present
from .panel_state import panel_state
from .paragraph import Icon, paragraph
from .sidebar import SidebarPanel, shown_head

_ICONS: dict[Severity, Icon] = {"ERROR": "CANCEL", "WARNING": "ERROR", "INFO": "INFO"}


class CheckPanel(SidebarPanel):
    """Why does nothing move? What keeps the takes from playing or from being heard"""

    bl_label = "Check"
    bl_order = 60
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return shown_head(panel_state(context)) is not None

    def draw_header(self, context: bpy.types.Context) -> None:
        head = shown_head(panel_state(context))
        if head is not None:
            found = [problem for problems in shown_problems(context, head).values() for problem in problems]
            number = sum(problem.severity != "INFO" for problem in found)
            present(self.layout).label(text=str(number or ""), icon="ERROR" if number else "CHECKMARK", translate=False)

    def draw(self, context: bpy.types.Context) -> None:
        layout, head = present(self.layout), shown_head(panel_state(context))
        if head is None:
            return
        found = shown_problems(context, head)
        for topic in TOPICS:
            problems = found.get(topic.label, [])
            if topic.label in found and not problems:
                layout.label(text=topic.label, icon="CHECKMARK")
            for problem in problems:
                _draw_problem(layout.box(), problem, head.name)
        layout.operator("emote.check", icon="VIEWZOOM").head = head.name


def _draw_problem(box: bpy.types.UILayout, problem: Problem, head: str) -> None:
    box.alert = problem.severity == "ERROR"
    paragraph(box, problem.sentence, _ICONS[problem.severity])
    row = box.row()
    for identifier in problem.fixes:
        button = row.operator("emote.fix", text=FIXES[identifier].label)
        button.problem, button.head = identifier, head
