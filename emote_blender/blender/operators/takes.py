"""What can be done with a take of the list: use, mute, rename, duplicate, remove, copy, retime, rebuild, adopt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ...errors import InputError
from ..jobs.ready import NO_HEAD
from ..narrow import present, window_scene
from ..refusal import Result, refusing
from ..scene import changes
from ..scene.find_head import any_head, choose_head, heads_in
from ..settings.chosen_head import chosen_head
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes import manage
from ..takes.old_takes import adopt, adopt_active
from .refine import choose_take

if TYPE_CHECKING:
    _Operator = bpy.types.Operator
else:
    _Operator = object  # a plain mixin at run time: only the registered class derives from Blender's

_SELECTED = "empty for the chosen one"


_any_take: tuple[tuple[int, int, int], bool] | None = None


def any_take() -> bool:
    """Whether a head of the file has a take. The result is cached until the next change, as every button asks."""
    global _any_take
    # A take comes with an action: a script may make one and ask before Blender evaluates the scene.
    key = (changes.count(), len(bpy.data.objects), len(bpy.data.actions))
    if _any_take is None or _any_take[0] != key:
        _any_take = (key, any(item.type == "MESH" and len(head_settings(item).takes) for item in bpy.data.objects))
    return _any_take[1]


class OnTake(_Operator):
    """Arguments, poll and redraw of operators on one take of a head."""

    head: bpy.props.StringProperty(name="Head", description=f"Name of the head; {_SELECTED}", options={"SKIP_SAVE"})
    take: bpy.props.StringProperty(name="Take", description=f"Name of the take; {_SELECTED}", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not any_head():
            cls.poll_message_set(NO_HEAD)
            return False
        if not any_take():
            cls.poll_message_set("No head has a take; generate one first")
            return False
        return True

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = chosen_head(context, self.head)
        self.act(context, head, choose_take(head, self.take))
        refresh(context)
        return {"FINISHED"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        """Do it; raises EmoteError if it cannot be done."""
        raise NotImplementedError


def refresh(context: bpy.types.Context) -> None:
    """Show what was changed: Blender evaluates new strips and curves with the next frame only."""
    changes.note()
    scene = window_scene(context)
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


class EMOTE_OT_take_use(OnTake, bpy.types.Operator):
    """Play this take in place of the other takes of its line, or set it aside as an alternate"""

    bl_idname = "emote.take_use"
    bl_label = "Use Take"
    bl_options = {"REGISTER", "UNDO"}

    use: bpy.props.BoolProperty(
        name="In Use", description="Play the take; off sets it aside as an alternate", default=True
    )

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        manage.use_take(head, take, self.use)


class EMOTE_OT_take_solo(OnTake, bpy.types.Operator):
    """Mute all other takes of the head; press again to hear them all. Your own animation plays on"""

    bl_idname = "emote.take_solo"
    bl_label = "Solo Take"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        manage.solo_take(head, take)


class EMOTE_OT_take_mute(OnTake, bpy.types.Operator):
    """Mute the take, or unmute it: the face stays at rest while it is muted"""

    bl_idname = "emote.take_mute"
    bl_label = "Mute Take"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        manage.mute_take(head, take, not manage.is_muted(head, take))


class EMOTE_OT_take_rename(OnTake, bpy.types.Operator):
    """Rename the take, its action and its strips"""

    bl_idname = "emote.take_rename"
    bl_label = "Rename Take"
    bl_options = {"REGISTER", "UNDO"}

    name: bpy.props.StringProperty(name="Name", description="The new name", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        try:
            self.name = choose_take(chosen_head(context, self.head), self.take).name
        except InputError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return present(context.window_manager).invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        present(self.layout).prop(self, "name")

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        manage.rename_take(head, take, self.name)


class EMOTE_OT_take_duplicate(OnTake, bpy.types.Operator):
    """Copy the take, with its settings and your edits, as an alternate of its line"""

    bl_idname = "emote.take_duplicate"
    bl_label = "Duplicate Take"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        manage.duplicate_take(head, take)


class EMOTE_OT_take_remove(OnTake, bpy.types.Operator):
    """Remove the take with its strips, and its action if nothing else uses it"""

    bl_idname = "emote.take_remove"
    bl_label = "Remove Take"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        manage.remove_take(head, take)


class EMOTE_OT_take_apply_to(OnTake, bpy.types.Operator):
    """Make a take of another head with the same motion, settings and place"""

    bl_idname = "emote.take_apply_to"
    bl_label = "Apply to Head"
    bl_options = {"REGISTER", "UNDO"}
    bl_property = "target"

    target: bpy.props.StringProperty(
        name="Target",
        description="Name of the other head",
        search=lambda self, context, text: [
            item.name for item in heads_in(window_scene(context)) if text.lower() in item.name.lower()
        ],
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if self.target:
            return self.execute(context)
        return present(context.window_manager).invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        present(self.layout).prop(self, "target")

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        if not self.target:
            raise InputError("no head is named; choose the head that gets the take")
        other = choose_head(context, self.target)
        new = manage.apply_to(head, take, other)
        self.report({"INFO"}, f"{other.name!r} has the take {new.name!r}")


class EMOTE_OT_take_retime(OnTake, bpy.types.Operator):
    """Move the take to where its sound is now, and write it at the scene's present frame rate"""

    bl_idname = "emote.take_retime"
    bl_label = "Retime Take"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        manage.retime_take(head, take)


class EMOTE_OT_take_rebuild(OnTake, bpy.types.Operator):
    """Write the take's curves and strips anew from its motion; channels that you edited stay as they are"""

    bl_idname = "emote.take_rebuild"
    bl_label = "Rebuild Take"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, take: EMOTE_PG_take) -> None:
        manage.rebuild_take(head, take)


class EMOTE_OT_adopt_takes(bpy.types.Operator):
    """Put takes of an earlier version, or an appended action with a take, into the head's list"""

    bl_idname = "emote.adopt_takes"
    bl_label = "Adopt Takes"
    bl_options = {"REGISTER", "UNDO"}

    head: bpy.props.StringProperty(name="Head", description=f"Name of the head; {_SELECTED}", options={"SKIP_SAVE"})
    action: bpy.props.StringProperty(
        name="Action",
        description="Name of an action with a take; empty for those that the head plays as active actions",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not any_head():
            cls.poll_message_set(NO_HEAD)
            return False
        return True

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = chosen_head(context, self.head)
        scene = window_scene(context)
        if self.action:
            action = bpy.data.actions.get(self.action)
            if action is None:
                raise InputError(f"action {self.action!r} not found; choose one that holds a take")
            adopted = [adopt(head, action, scene)]
        else:
            adopted = adopt_active(head, scene)
        if not adopted:
            raise InputError(f"head {head.name!r} plays no take of an earlier version; there is nothing to adopt")
        refresh(context)
        self.report({"INFO"}, f"Adopted {', '.join(repr(take.name) for take in adopted)}")
        return {"FINISHED"}


CLASSES = (
    EMOTE_OT_take_use,
    EMOTE_OT_take_solo,
    EMOTE_OT_take_mute,
    EMOTE_OT_take_rename,
    EMOTE_OT_take_duplicate,
    EMOTE_OT_take_remove,
    EMOTE_OT_take_apply_to,
    EMOTE_OT_take_retime,
    EMOTE_OT_take_rebuild,
    EMOTE_OT_adopt_takes,
)
