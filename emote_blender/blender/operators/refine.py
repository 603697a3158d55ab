"""Reset and copy what refinement changes in a take."""

from __future__ import annotations

import bpy

from ...errors import InputError
from ..narrow import window_scene
from ..refusal import Result, refusing
from ..scene.find_head import choose_head
from ..settings.head_settings import head_settings
from ..settings.live import together
from ..settings.properties import scene_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes.slider_keys import remove_slider_curves

_GROUPS = ("refine", "alive")


def choose_take(head: bpy.types.Object, name: str) -> EMOTE_PG_take:
    """The take of this name, or without a name the active one; raises InputError if there is none."""
    settings = head_settings(head)
    if name:
        if name not in settings.takes:
            listed = ", ".join(repr(take.name) for take in settings.takes) or "none"
            raise InputError(f"head {head.name!r} has no take {name!r}; choose one of {listed}")
        return settings.takes[name]
    if not 0 <= settings.active_take < len(settings.takes):
        raise InputError(f"no take of head {head.name!r} is chosen; choose one in the list of takes, or generate one")
    return settings.takes[settings.active_take]


class OfTake:
    """Arguments and poll of operators on the sliders of a take."""

    head: bpy.props.StringProperty(
        name="Head", description="Name of the head; empty for the selected one", options={"SKIP_SAVE"}
    )
    take: bpy.props.StringProperty(
        name="Take", description="Name of the take; empty for the active one", options={"SKIP_SAVE"}
    )

    def chosen(self, context: bpy.types.Context) -> tuple[bpy.types.Object, EMOTE_PG_take]:
        """The head and the take that the arguments mean."""
        head = choose_head(context, self.head, scene_settings(window_scene(context)).head)
        return head, choose_take(head, self.take)


class EMOTE_OT_refine_reset(OfTake, bpy.types.Operator):
    """Set a slider of the take, or all of its refinement, as it was generated, and delete its keyframes"""

    bl_idname = "emote.refine_reset"
    bl_label = "Reset Refinement"
    bl_options = {"REGISTER", "UNDO"}

    slider: bpy.props.StringProperty(
        name="Slider", description="Name of the property, such as jaw_strength; empty for all", options={"SKIP_SAVE"}
    )

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head, take = self.chosen(context)
        sliders = [
            (group, name)
            for group in _GROUPS
            for name in slider_names(getattr(take, group))
            if name == self.slider or (group == "refine" and not self.slider)
        ]
        if not sliders:
            known = ", ".join(name for group in _GROUPS for name in slider_names(getattr(take, group)))
            raise InputError(f"a take has no slider {self.slider!r}; choose one of {known}")
        index = head_settings(head).takes.find(take.name)
        remove_slider_curves(head, index, [f"{group}.{name}" for group, name in sliders])
        with together("refine", head, getattr(take, sliders[0][0])):
            for group, name in sliders:
                getattr(take, group).property_unset(name)
        return {"FINISHED"}


class EMOTE_OT_refine_copy(OfTake, bpy.types.Operator):
    """Copy refinement, blinks, gaze and head motion of the take to other takes; keyframes are not copied"""

    bl_idname = "emote.refine_copy"
    bl_label = "Copy Refinement"
    bl_options = {"REGISTER", "UNDO"}

    to_head: bpy.props.StringProperty(
        name="To Head", description="Name of the head that gets the settings; empty for the same", options={"SKIP_SAVE"}
    )
    to_take: bpy.props.StringProperty(
        name="To Take", description="Name of the take that gets the settings; empty for all", options={"SKIP_SAVE"}
    )

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head, source = self.chosen(context)
        to_head = choose_head(context, self.to_head) if self.to_head else head
        targets = [choose_take(to_head, self.to_take)] if self.to_take else list(head_settings(to_head).takes)
        targets = [take for take in targets if take != source]
        if not targets:
            raise InputError(f"head {to_head.name!r} has no other take; generate one, or name another head")
        for take in targets:
            with together("refine", to_head, take.refine):
                for group in _GROUPS:
                    for name in slider_names(getattr(source, group)):
                        setattr(getattr(take, group), name, getattr(getattr(source, group), name))
        self.report({"INFO"}, f"copied from {source.name!r} to {', '.join(repr(take.name) for take in targets)}")
        return {"FINISHED"}


def slider_names(group: bpy.types.PropertyGroup) -> list[str]:
    """Names of the properties of a group of sliders."""
    return [prop.identifier for prop in group.bl_rna.properties if prop.identifier not in ("rna_type", "name")]
