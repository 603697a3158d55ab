"""Sets up a character of any origin, and edits its table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ...errors import InputError
from ...retarget.mapping import FaceMapping, MappingRow
from ...retarget.mapping_file import write_mapping
from ..blend_paths import absolute
from ..characters.choose import set_up_character
from ..characters.presets import Preset, read_preset, use_preset
from ..characters.preview import put_back
from ..characters.rig import character_of, is_character
from ..characters.set_up import SetUp, propose_set_up, take_out_row, write_row, write_set_up
from ..characters.table_state import table_state
from ..head.shape_keys import key_names
from ..narrow import pose_bones, present, window_scene
from ..refusal import Result, refusing
from ..scene import changes
from ..settings.character_settings import EMOTE_PG_character, row_of, target_names
from ..settings.chosen_head import chosen_head
from ..settings.head_settings import head_settings
from ..settings.lists import added
from ..settings.live import together
from ..settings.properties import note_result, scene_settings
from ..takes.character_watch import rewrite_takes
from ..takes.manage import remove_take
from .takes import refresh

if TYPE_CHECKING:
    _Operator = bpy.types.Operator
else:
    _Operator = object  # a plain mixin at run time: only the registered class derives from Blender's


class EMOTE_OT_set_up_character(bpy.types.Operator):
    """Set up the selected character, so that it can speak: find its shape keys, jaw, eyes and head by name and shape"""

    bl_idname = "emote.set_up_character"
    bl_label = "Set Up Character"
    bl_options = {"REGISTER", "UNDO"}

    object: bpy.props.StringProperty(
        name="Object",
        description="Name of an object of the character: a mesh or its armature; empty for the active one",
        options={"SKIP_SAVE"},
    )
    armature: bpy.props.StringProperty(
        name="Armature",
        description="Name of the armature with jaw, neck and eyes; empty for the one that moves the mesh",
        options={"SKIP_SAVE"},
    )
    preset: bpy.props.StringProperty(
        name="Preset",
        description="Mapping preset (.json) whose rows are used instead of the proposed ones",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    by_hand: bpy.props.BoolProperty(
        name="By Hand",
        description="Set it up even if no face is recognised: you fill the table",
        options={"SKIP_SAVE"},
    )

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        item = _object(self.object) if self.object else present(context.view_layer).objects.active
        if item is None:
            raise InputError("nothing is selected; select a mesh or the armature of the character")
        armature = _object(self.armature) if self.armature else None
        if armature is not None and armature.type != "ARMATURE":
            raise InputError(f"object {armature.name!r} is no armature; name the one that has the jaw bone")
        presets: list[Preset] = []

        def write(set_up: SetUp) -> None:
            # Read before anything is written: a preset that cannot be used changes nothing.
            if self.preset:
                presets.append(self._preset(set_up))
            put_back(set_up.face)
            write_set_up(set_up)
            for preset in presets:
                use_preset(set_up.face, preset)

        by_hand = self.by_hand or bool(self.preset)
        set_up = set_up_character(context, item, armature, by_hand=by_hand, write=write)
        face, settings = set_up.face, scene_settings(window_scene(context))
        if settings.head is not None:
            settings.head = face  # a pinned head would hide it
        for problem in filter(None, [*rewrite_takes(face), *(preset.lacking for preset in presets)]):
            self.report({"WARNING"}, problem)
        for note in set_up.notes:
            self.report({"INFO"}, note)
        sentence = f"set up {set_up.sentence()}"
        self.report({"INFO"}, sentence)
        note_result(window_scene(context), sentence, face.session_uid)
        return {"FINISHED"}

    def _preset(self, set_up: SetUp) -> Preset:
        """The preset's rows that fit."""
        keys = [name for mesh in (set_up.face, *set_up.others) for name in key_names(mesh)]
        bones = pose_bones(set_up.armature).keys() if set_up.armature is not None else []
        return read_preset(set_up.face.name, absolute(self.preset), keys, bones)


class OnCharacter(_Operator):
    """Argument and poll of operators on a character that is set up."""

    head: bpy.props.StringProperty(
        name="Character", description="Name of the character; empty for the chosen one", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        try:
            head = chosen_head(context)
        except InputError as error:
            cls.poll_message_set(str(error))
            return False
        if not is_character(head):
            cls.poll_message_set(f"{head.name} is a head of this add-on or of FLAME, which needs no table")
            return False
        return True

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        head = chosen_head(context, self.head)
        if not is_character(head):
            raise InputError(f"{head.name!r} is not a character that was set up; use emote.set_up_character first")
        put_back(head)
        self.act(context, head, character_of(head))
        changes.note()
        return {"FINISHED"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, character: EMOTE_PG_character) -> None:
        """Do it; raises EmoteError if it cannot be done."""
        raise NotImplementedError


class EMOTE_OT_propose_mapping(OnCharacter, bpy.types.Operator):
    """Look for shape keys and bones again, after the character has changed. Rows that you edited stay"""

    bl_idname = "emote.propose_mapping"
    bl_label = "Propose Again"
    bl_options = {"REGISTER", "UNDO"}

    keep_edited: bpy.props.BoolProperty(
        name="Keep Edited Rows", description="Rows that you added or changed stay as they are", default=True
    )

    def act(self, context: bpy.types.Context, head: bpy.types.Object, character: EMOTE_PG_character) -> None:
        set_up = propose_set_up(head, window_scene(context), character.armature, by_hand=True)
        write_set_up(set_up, self.keep_edited)
        for problem in rewrite_takes(head):
            self.report({"WARNING"}, problem)
        self.report({"INFO"}, f"Proposed for {set_up.sentence()}")


class EMOTE_OT_add_mapping_row(OnCharacter, bpy.types.Operator):
    """Add a row to the table: a signal, and the shape key or bone that it moves"""

    bl_idname = "emote.add_mapping_row"
    bl_label = "Add Row"
    bl_options = {"REGISTER", "UNDO"}

    source: bpy.props.StringProperty(name="Source", description="Name of the signal", options={"SKIP_SAVE"})
    target: bpy.props.StringProperty(
        name="Target", description="Name of the shape key or the bone", options={"SKIP_SAVE"}
    )

    def act(self, context: bpy.types.Context, head: bpy.types.Object, character: EMOTE_PG_character) -> None:
        with together("character", head, head_settings(head)):
            write_row(added(character.rows), MappingRow(self.source, self.target))
            character.active_row = len(character.rows) - 1


class EMOTE_OT_remove_mapping_row(OnCharacter, bpy.types.Operator):
    """Remove the chosen row of the table"""

    bl_idname = "emote.remove_mapping_row"
    bl_label = "Remove Row"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, character: EMOTE_PG_character) -> None:
        index = _active_row(character)
        with together("character", head, head_settings(head)):
            take_out_row(character, index)
            character.active_row = min(index, len(character.rows) - 1)


class EMOTE_OT_duplicate_mapping_row(OnCharacter, bpy.types.Operator):
    """Add a copy of the chosen row below it, so that one signal moves several things"""

    bl_idname = "emote.duplicate_mapping_row"
    bl_label = "Duplicate Row"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, character: EMOTE_PG_character) -> None:
        index = _active_row(character)
        with together("character", head, head_settings(head)):
            row = row_of(character.rows[index])
            write_row(added(character.rows), row)
            character.rows.move(len(character.rows) - 1, index + 1)
            character.active_row = index + 1


class EMOTE_OT_clean_mapping(OnCharacter, bpy.types.Operator):
    """Remove the rows whose shape key or bone is gone"""

    bl_idname = "emote.clean_mapping"
    bl_label = "Remove Rows of Lost Targets"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, character: EMOTE_PG_character) -> None:
        lost = sorted(table_state(head).rows_of["LOST"], reverse=True)
        if not lost:
            raise InputError("every row's target is there; nothing was removed")
        with together("character", head, head_settings(head)):
            for index in lost:
                take_out_row(character, index)
            character.active_row = min(character.active_row, len(character.rows) - 1)
        self.report({"INFO"}, f"Removed {len(lost)} row{'s' if len(lost) != 1 else ''}")


class _OnMappingFile(OnCharacter):
    """Argument of operators on a table's file."""

    filepath: bpy.props.StringProperty(
        name="File",
        description="Mapping preset (.json)",
        subtype="FILE_PATH",
        options={"SKIP_SAVE", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if not self.filepath:
            self.filepath = f"{bpy.path.clean_name(chosen_head(context, self.head).name)} mapping.json"
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}


class EMOTE_OT_save_mapping(_OnMappingFile, bpy.types.Operator):
    """Save the table as a preset, for other characters with the same names"""

    bl_idname = "emote.save_mapping"
    bl_label = "Save Mapping"
    bl_options = {"REGISTER"}

    check_existing: bpy.props.BoolProperty(default=True, options={"HIDDEN"})

    def act(self, context: bpy.types.Context, head: bpy.types.Object, character: EMOTE_PG_character) -> None:
        path = Path(bpy.path.ensure_ext(absolute(self.filepath), ".json"))
        rows = tuple(row_of(entry) for entry in character.rows if entry.source and entry.target)
        write_mapping(FaceMapping(rows, head.name), path)
        self.report({"INFO"}, f"Saved {len(rows)} rows to {path}")


class EMOTE_OT_load_mapping(_OnMappingFile, bpy.types.Operator):
    """Replace the table by a preset; of a preset for another character, the rows whose targets are here"""

    bl_idname = "emote.load_mapping"
    bl_label = "Load Mapping"
    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context, head: bpy.types.Object, character: EMOTE_PG_character) -> None:
        keys, bones = target_names(head, True), target_names(head, False)
        preset = read_preset(head.name, absolute(self.filepath), keys, bones)
        use_preset(head, preset)
        for problem in filter(None, [*rewrite_takes(head), preset.lacking]):
            self.report({"WARNING"}, problem)
        self.report({"INFO"}, f"{head.name}: {len(character.rows)} rows of {Path(self.filepath).name}")


class EMOTE_OT_remove_character(OnCharacter, bpy.types.Operator):
    """Forget how the character is set up. Its takes are removed too; its meshes and your own animation stay"""

    bl_idname = "emote.remove_character"
    bl_label = "Remove Set-Up"
    bl_options = {"REGISTER", "UNDO"}

    with_takes: bpy.props.BoolProperty(
        name="With Takes", description="Remove the character's takes, which cannot be played without the set-up"
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        count = len(head_settings(chosen_head(context, self.head)).takes)
        if not count:
            return self.execute(context)
        self.with_takes = True
        return present(context.window_manager).invoke_confirm(
            self,
            event,
            title="Remove Set-Up",
            message=f"{count} take{'s' if count != 1 else ''} of the character will be removed too",
            confirm_text="Remove",
            icon="WARNING",
        )

    def act(self, context: bpy.types.Context, head: bpy.types.Object, character: EMOTE_PG_character) -> None:
        takes = head_settings(head).takes
        if len(takes) and not self.with_takes:
            raise InputError(
                f"character {head.name!r} has takes, which need its set-up ({len(takes)}); remove them first, or pass "
                "with_takes=True"
            )
        while len(takes):
            remove_take(head, takes[0])
        with together("character", head, head_settings(head)):
            character.is_set_up = False
            for name in [prop.identifier for prop in character.bl_rna.properties if not prop.is_readonly]:
                character.property_unset(name)
            character.rows.clear()
            character.meshes.clear()
        settings = scene_settings(window_scene(context))
        if settings.head == head:
            settings.head = None
        refresh(context)
        self.report({"INFO"}, f"{head.name} is not set up any more")


def _object(name: str) -> bpy.types.Object:
    found = bpy.data.objects.get(name)
    if found is None:
        raise InputError(f"object {name!r} not found; name an object of the character")
    return found


def _active_row(character: EMOTE_PG_character) -> int:
    if not 0 <= character.active_row < len(character.rows):
        raise InputError("no row is chosen; choose one in the list")
    return character.active_row


CLASSES = (
    EMOTE_OT_set_up_character,
    EMOTE_OT_propose_mapping,
    EMOTE_OT_add_mapping_row,
    EMOTE_OT_remove_mapping_row,
    EMOTE_OT_duplicate_mapping_row,
    EMOTE_OT_clean_mapping,
    EMOTE_OT_save_mapping,
    EMOTE_OT_load_mapping,
    EMOTE_OT_remove_character,
)
