"""Check: what keeps a head from moving, and the fixes."""

from __future__ import annotations

import bpy

from ..check.find import FIXES, apply_fix, problems
from ..check.shown import forget_checks
from ..jobs.ready import may_animate
from ..narrow import present
from ..refusal import Result, refusing
from ..settings.chosen_head import chosen_head

_FIX_ITEMS = [(identifier, fix.label, fix.description) for identifier, fix in FIXES.items()]


class EMOTE_OT_check(bpy.types.Operator):
    """Find what keeps the head's takes from moving the face, or from being heard"""

    bl_idname = "emote.check"
    bl_label = "Check"
    bl_options = {"REGISTER"}

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the pinned or selected one", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = chosen_head(context, self.head)
        forget_checks()
        found = problems(context, head)
        for problem in found:
            self.report({"INFO" if problem.severity == "INFO" else "WARNING"}, problem.sentence)
        if not found:
            self.report({"INFO"}, f"Nothing keeps {head.name!r} from moving")
        return {"FINISHED"}


class EMOTE_OT_fix(bpy.types.Operator):
    """Mend what keeps the head from moving; only what is named is changed"""

    bl_idname = "emote.fix"
    bl_label = "Fix"
    bl_options = {"REGISTER", "UNDO"}

    problem: bpy.props.EnumProperty(name="Problem", description="What to mend", items=_FIX_ITEMS, options={"SKIP_SAVE"})
    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the pinned or selected one", options={"SKIP_SAVE"}
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return FIXES[properties.problem].description

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return may_animate(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = chosen_head(context, self.head)
        head = apply_fix(context, head, self.problem)
        forget_checks()
        present(context.view_layer).update()
        remaining = [item for item in problems(context, head) if self.problem in item.fixes]
        for item in remaining:
            self.report({"WARNING"}, item.sentence)
        if not remaining:
            self.report({"INFO"}, f"{FIXES[self.problem].label}: done for {head.name!r}")
        return {"FINISHED"}
