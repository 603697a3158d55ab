"""How a character that has no head of this add-on is moved: its meshes, bones and the table of its shape keys.

Stored on the mesh object that stands for the character, as `head.emote.character`.
"""

from __future__ import annotations

from typing import Literal

import bpy

from ...retarget.mapping import BONE_CHANNELS, KEY, MappingRow
from ...retarget.name_families import VISEMES
from ...retarget.signals import ARKIT_NAMES, HEAD_NAMES
from ..head.shape_keys import key_names
from ..scene import changes
from .live import changed, is_held
from .window_settings import stop_preview

_OVERRIDABLE: set[Literal["LIBRARY_OVERRIDABLE"]] = {"LIBRARY_OVERRIDABLE"}
_LIST: set[Literal["LIBRARY_OVERRIDABLE", "USE_INSERTION"]] = {"LIBRARY_OVERRIDABLE", "USE_INSERTION"}

SIGNAL_NAMES = (*ARKIT_NAMES, "tongueUp", *VISEMES, *HEAD_NAMES)
"""What the source of a row can be."""

CHANNEL_ITEMS = [
    (KEY, "Shape Key", "The value of a shape key"),
    *((name, name.replace("_", " ").title(), "In the bone's own axes") for name in BONE_CHANNELS),
]
JAW_ITEMS = [
    ("KEY", "Shape Key", "A shape key opens the mouth"),
    ("BONE", "Bone", "A bone opens the mouth"),
    ("NONE", "None", "The character has nothing that opens the mouth"),
]


_changed = changed("character")


def _row_chosen(character: EMOTE_PG_character, context: bpy.types.Context) -> None:
    """End the preview of the row that was chosen before."""
    stop_preview()


def _row_changed(row: EMOTE_PG_mapping_row, context: bpy.types.Context) -> None:
    """Note that the user has edited a row, and let the takes follow."""
    if not is_held("character"):
        row.is_edited = True
    _changed(row, context)


def _source_names(row: EMOTE_PG_mapping_row, context: bpy.types.Context, text: str) -> list[str]:
    return [name for name in SIGNAL_NAMES if text.lower() in name.lower()]


def _target_names(row: EMOTE_PG_mapping_row, context: bpy.types.Context, text: str) -> list[str]:
    """The shape keys of the character's meshes, or its bones, that contain a text; those that begin with it first."""
    head, text = row.id_data, text.lower()
    if not isinstance(head, bpy.types.Object):
        return []
    found = [name for name in target_names(head, row.channel == KEY) if text in name.lower()]
    return sorted(found, key=lambda name: not name.lower().startswith(text))


def _bone_names(character: EMOTE_PG_character, context: bpy.types.Context, text: str) -> list[str]:
    head = character.id_data
    names = target_names(head, False) if isinstance(head, bpy.types.Object) else []
    return [name for name in names if text.lower() in name.lower()]


def target_names(head: bpy.types.Object, are_keys: bool) -> list[str]:
    """Names of a character's shape keys, without those that are the rest, or of its armature's bones."""
    character = head.emote.character  # type: ignore[attr-defined] # a pointer property that `register` adds
    if not are_keys:
        pose = character.armature.pose if character.armature is not None else None
        return [bone.name for bone in pose.bones] if pose is not None else []
    names = []
    for mesh in (head, *(entry.mesh for entry in character.meshes)):
        names += key_names(mesh) if mesh is not None and mesh.type == "MESH" else []
    return list(dict.fromkeys(names))


def _bone(name: str, description: str):
    return bpy.props.StringProperty(
        name=name,
        description=description,
        search=_bone_names,
        search_options={"SUGGESTION"},
        update=_changed,
        override=_OVERRIDABLE,
    )


def _note_change(self: EMOTE_PG_character, context: bpy.types.Context) -> None:
    changes.note()


class EMOTE_PG_mapping_row(bpy.types.PropertyGroup):
    """One signal that moves one shape key or bone channel; see `retarget.mapping.MappingRow`."""

    source: bpy.props.StringProperty(
        name="Source",
        description="What of the motion moves the target: one of ARKit's shapes, a viseme, or a turn of the head",
        search=_source_names,
        search_options={"SUGGESTION"},
        update=_row_changed,
        override=_OVERRIDABLE,
    )
    target: bpy.props.StringProperty(
        name="Target",
        description="Shape key of the character's meshes, or bone of its armature",
        search=_target_names,
        search_options={"SUGGESTION"},
        update=_row_changed,
        override=_OVERRIDABLE,
    )
    channel: bpy.props.EnumProperty(
        name="Channel",
        description="What of the target moves",
        items=CHANNEL_ITEMS,
        update=_row_changed,
        override=_OVERRIDABLE,
    )
    strength: bpy.props.FloatProperty(
        name="Strength",
        description="Factor on the source",
        default=1.0,
        soft_min=-2.0,
        soft_max=2.0,
        update=_row_changed,
        override=_OVERRIDABLE,
    )
    offset: bpy.props.FloatProperty(
        name="Offset",
        description="Added after the factor",
        soft_min=-1.0,
        soft_max=1.0,
        update=_row_changed,
        override=_OVERRIDABLE,
    )
    low: bpy.props.FloatProperty(
        name="Low",
        description="Least value",
        soft_min=-1.0,
        soft_max=1.0,
        update=_row_changed,
        override=_OVERRIDABLE,
    )
    high: bpy.props.FloatProperty(
        name="High",
        description="Greatest value",
        default=1.0,
        soft_min=0.0,
        soft_max=2.0,
        update=_row_changed,
        override=_OVERRIDABLE,
    )
    enabled: bpy.props.BoolProperty(
        name="Enabled",
        description="Let the source move the target",
        default=True,
        update=_row_changed,
        override=_OVERRIDABLE,
    )
    # How sure the proposal was; 1 for a name that means nothing else.
    certainty: bpy.props.FloatProperty(default=1.0, min=0.0, max=1.0, options={"HIDDEN"}, override=_OVERRIDABLE)
    # Whether the user made or changed the row; a new proposal leaves it as it is.
    is_edited: bpy.props.BoolProperty(options={"HIDDEN"}, override=_OVERRIDABLE)


class EMOTE_PG_character_mesh(bpy.types.PropertyGroup):
    """A further mesh of a character: teeth, tongue, brows, lashes or a body with the same shape keys."""

    mesh: bpy.props.PointerProperty(type=bpy.types.Object, override=_OVERRIDABLE)


class EMOTE_PG_character(bpy.types.PropertyGroup):
    """A character of any origin; `is_set_up` is false on other objects and on heads of this add-on."""

    is_set_up: bpy.props.BoolProperty(options={"HIDDEN"}, override=_OVERRIDABLE, update=_note_change)
    kind: bpy.props.StringProperty(
        name="Kind", description="Whose names the shape keys have", options={"HIDDEN"}, override=_OVERRIDABLE
    )
    meshes: bpy.props.CollectionProperty(type=EMOTE_PG_character_mesh, override=_LIST)
    rows: bpy.props.CollectionProperty(type=EMOTE_PG_mapping_row, override=_LIST)
    active_row: bpy.props.IntProperty(default=-1, min=-1, override=_OVERRIDABLE, update=_row_chosen)
    armature: bpy.props.PointerProperty(
        type=bpy.types.Object,
        name="Armature",
        description="Object with the bones of jaw, neck and eyes",
        poll=lambda self, item: item.type == "ARMATURE",
        update=_changed,
        override=_OVERRIDABLE,
    )
    jaw: bpy.props.EnumProperty(
        name="Jaw",
        description="What opens the mouth",
        items=JAW_ITEMS,
        default="NONE",
        update=_changed,
        override=_OVERRIDABLE,
    )
    jaw_bone: _bone("Jaw Bone", "Bone that opens the mouth")
    neck_bone: _bone("Neck Bone", "Bone that turns neck and head")
    head_bone: _bone("Head Bone", "Bone above the neck, which takes a half of the turn; the only one without a neck")
    left_eye_bone: _bone("Left Eye Bone", "Bone that turns the character's left eye")
    right_eye_bone: _bone("Right Eye Bone", "Bone that turns the character's right eye")
    jaw_strength: bpy.props.FloatProperty(
        name="Jaw Strength",
        description="Factor on the rotation of the jaw bone",
        default=1.0,
        min=0.0,
        max=4.0,
        update=_changed,
        override=_OVERRIDABLE,
    )
    # Why the jaw is what it is, and what else the set-up found, one sentence each, separated by line breaks.
    notes: bpy.props.StringProperty(options={"HIDDEN"}, override=_OVERRIDABLE)
    # Digest of the table with which the takes were last written.
    written_digest: bpy.props.StringProperty(options={"HIDDEN"}, override=_OVERRIDABLE)
    # What a preview has changed, as it was before (JSON); empty without a preview.
    preview_kept: bpy.props.StringProperty(options={"HIDDEN"}, override=_OVERRIDABLE)
    # The face's left, up and front as rows, in the armature's space, or in the mesh's without an armature.
    axes: bpy.props.FloatVectorProperty(
        size=9, default=(1, 0, 0, 0, 0, 1, 0, -1, 0), options={"HIDDEN"}, override=_OVERRIDABLE
    )
    calibrate: bpy.props.BoolProperty(
        name="Calibrate",
        description="Measure what the shape keys do to the lips, and compensate: closed lips close, and the mouth "
        "opens as far as the motion's",
        default=True,
        update=_changed,
        override=_OVERRIDABLE,
    )


def row_of(entry: EMOTE_PG_mapping_row) -> MappingRow:
    """The row of a table that a property group holds."""
    return MappingRow(
        source=entry.source,
        target=entry.target,
        channel=entry.channel,
        strength=entry.strength,
        offset=entry.offset,
        low=entry.low,
        high=entry.high,
        enabled=entry.enabled,
    )
