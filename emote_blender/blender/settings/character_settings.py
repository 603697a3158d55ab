"""How a character that has no head of this add-on is moved: its meshes, bones and the table of its shape keys.

Stored on the mesh object that stands for the character, as `head.emote.character`.
"""

from __future__ import annotations

from typing import Literal

import bpy

from ...retarget.mapping import BONE_CHANNELS, KEY
from ..scene import changes

_OVERRIDABLE: set[Literal["LIBRARY_OVERRIDABLE"]] = {"LIBRARY_OVERRIDABLE"}
_LIST: set[Literal["LIBRARY_OVERRIDABLE", "USE_INSERTION"]] = {"LIBRARY_OVERRIDABLE", "USE_INSERTION"}

CHANNEL_ITEMS = [
    (KEY, "Shape Key", "The value of a shape key"),
    *((name, name.replace("_", " ").title(), "In the bone's own axes") for name in BONE_CHANNELS),
]
JAW_ITEMS = [
    ("KEY", "Shape Key", "A shape key opens the mouth"),
    ("BONE", "Bone", "A bone opens the mouth"),
    ("NONE", "None", "The character has nothing that opens the mouth"),
]


def _bone(name: str, description: str):
    return bpy.props.StringProperty(name=name, description=description, override=_OVERRIDABLE)


def _note_change(self: EMOTE_PG_character, context: bpy.types.Context) -> None:
    changes.note()


class EMOTE_PG_mapping_row(bpy.types.PropertyGroup):
    """One signal that moves one shape key or bone channel; see `retarget.mapping.MappingRow`."""

    source: bpy.props.StringProperty(
        name="Source", description="What of the motion moves the target", override=_OVERRIDABLE
    )
    target: bpy.props.StringProperty(
        name="Target", description="Shape key, or bone of the armature", override=_OVERRIDABLE
    )
    channel: bpy.props.EnumProperty(
        name="Channel", description="What of the target moves", items=CHANNEL_ITEMS, override=_OVERRIDABLE
    )
    strength: bpy.props.FloatProperty(
        name="Strength",
        description="Factor on the source",
        default=1.0,
        soft_min=-2.0,
        soft_max=2.0,
        override=_OVERRIDABLE,
    )
    offset: bpy.props.FloatProperty(
        name="Offset", description="Added after the factor", soft_min=-1.0, soft_max=1.0, override=_OVERRIDABLE
    )
    low: bpy.props.FloatProperty(
        name="Low", description="Least value", soft_min=-1.0, soft_max=1.0, override=_OVERRIDABLE
    )
    high: bpy.props.FloatProperty(
        name="High", description="Greatest value", default=1.0, soft_min=0.0, soft_max=2.0, override=_OVERRIDABLE
    )
    enabled: bpy.props.BoolProperty(
        name="Enabled", description="Let the source move the target", default=True, override=_OVERRIDABLE
    )


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
    active_row: bpy.props.IntProperty(default=-1, min=-1, override=_OVERRIDABLE)
    armature: bpy.props.PointerProperty(
        type=bpy.types.Object,
        name="Armature",
        description="Object with the bones of jaw, neck and eyes",
        poll=lambda self, item: item.type == "ARMATURE",
        override=_OVERRIDABLE,
    )
    jaw: bpy.props.EnumProperty(
        name="Jaw", description="What opens the mouth", items=JAW_ITEMS, default="NONE", override=_OVERRIDABLE
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
        override=_OVERRIDABLE,
    )
    # The face's left, up and front as rows, in the armature's space, or in the mesh's without an armature.
    axes: bpy.props.FloatVectorProperty(
        size=9, default=(1, 0, 0, 0, 0, 1, 0, -1, 0), options={"HIDDEN"}, override=_OVERRIDABLE
    )
    calibrate: bpy.props.BoolProperty(
        name="Calibrate",
        description="Measure what the shape keys do to the lips, and compensate: closed lips close, and the mouth "
        "opens as far as the motion's",
        default=True,
        override=_OVERRIDABLE,
    )
