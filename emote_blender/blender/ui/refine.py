"""Refine: how the take in use is changed after inference, and what keeps the face alive."""

from __future__ import annotations

import bpy

from ..narrow import present
from ..settings.take_settings import EMOTE_PG_alive, EMOTE_PG_refine, EMOTE_PG_take
from .panel_state import panel_state
from .sidebar import SidebarPanel, shown_head, two_columns

# Properties of EMOTE_PG_refine in groups with a heading, each with its name below that heading.
_GROUPS = {
    "Strength": {
        "emotion_strength": "Emotion",
        "upper_strength": "Upper Face",
        "lower_strength": "Lower Face",
        "jaw_strength": "Jaw",
        "asymmetry": "Asymmetry",
    },
    "Lips": {"lip_close_offset": "Closure", "fv_contact": "F/V Contact", "lip_open_offset": "Opening"},
    "Smoothing": {"upper_smoothing": "Upper Face", "lower_smoothing": "Lower Face"},
    "Timing": {"prediction_delay": "Delay", "transition_in": "Ease In", "transition_out": "Ease Out"},
}
# A switch of EMOTE_PG_alive, and the properties that count while it is on, each with its name below the switch.
_SWITCHES = (
    ("blinks", {"blink_strength": "Strength", "blink_interval_seconds": "Every", "eyelid_open_offset": "Eyelids"}),
    ("gaze", {"saccade_strength": "Saccades", "look_at": "Look At", "look_at_weight": "Weight"}),
    ("head_motion", {"head_strength": "Strength", "breathing": "Breathing"}),
)


class RefinePanel(SidebarPanel):
    """Change the take without generating it again"""

    bl_label = "Refine"
    bl_order = 40

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return shown_take(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        take = shown_take(context)
        if take is None:
            return
        layout = present(self.layout)
        row = layout.row(align=True)
        row.label(text=take.name, icon="ACTION", translate=False)
        row.operator("emote.refine_copy", text="", icon="COPYDOWN")
        row.operator("emote.refine_reset", text="", icon="LOOP_BACK")
        refine: EMOTE_PG_refine = take.refine
        for heading, names in _GROUPS.items():
            layout.label(text=heading)
            column = two_columns(layout, decorate=True)
            for name, text in names.items():
                if name == "emotion_strength" and not take.has_neutral:
                    column.label(text="Emotion needs a new take", icon="INFO")
                else:
                    column.prop(refine, name, text=text, slider=True)


class AlivePanel(SidebarPanel):
    """Blinks, gaze, head motion and breath"""

    bl_label = "Blinks, Gaze and Head"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return shown_take(context) is not None

    def draw(self, context: bpy.types.Context) -> None:
        take = shown_take(context)
        if take is None:
            return
        alive: EMOTE_PG_alive = take.alive
        layout = present(self.layout)
        for switch, names in _SWITCHES:
            column = two_columns(layout, decorate=True)
            column.prop(alive, switch)
            counted = column.column()
            counted.active = getattr(alive, switch)
            for name, text in names.items():
                counted.prop(alive, name, text=text)
            if switch == "gaze" and alive.look_at is not None:
                counted.operator("emote.update_gaze", icon="FILE_REFRESH")
        column = two_columns(layout, decorate=True)
        column.prop(alive, "seed")
        layout.operator("emote.alive_idle", icon="TIME")


def shown_take(context: bpy.types.Context) -> EMOTE_PG_take | None:
    """The take that the list has chosen."""
    head = shown_head(panel_state(context))
    if head is None:
        return None
    takes, chosen = head.emote.takes, head.emote.active_take  # type: ignore[attr-defined]
    return takes[chosen] if 0 <= chosen < len(takes) else None
