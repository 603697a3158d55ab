"""The open head's face for each emotion: set on a head, keyed, or made into actions for the Asset Browser.

The poses lie beside the head, with a picture of each. They fit every head whose components have the same names.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...emotion import EMOTIONS
from ...errors import InputError, ModelError
from ...files.paths import DEFAULT_HEAD, find_head
from ...motion import FaceMotion
from ...retarget.mapping import KEY
from ...retarget.signals import JAW_NAMES
from ...retarget.target import Target, put_on
from ..characters.measure import calibrated_target
from ..compat import action_channelbag
from ..narrow import mesh_of, present
from .asset_catalog import read_picture, set_preview
from .head_rig import HeadRig
from .shape_keys import key_path

POSES_FOLDER, POSES_FILE = "emotions", "poses.json"
_FORMAT = 1
_JAW, _SAMPLE_NAME = "jaw", "mouthSmileLeft"
_CHANNELS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
# The emotion of an action that `make_pose_assets` made.
EMOTION_PROPERTY = "emote_emotion"


@dataclass(frozen=True)
class EmotionPose:
    """A face.

    Attributes:
        emotion: name of the emotion.
        expression: weights of the components that are not zero, by name.
        jaw: opening of the jaw, radians.
        picture: a PNG of it; it may not exist.
    """

    emotion: str
    expression: dict[str, float]
    jaw: float
    picture: Path


def read_poses(folder: Path | None = None) -> dict[str, EmotionPose]:
    """The poses by emotion, from a folder or from the open head's.

    Raises:
        ModelError: if the file is missing or damaged.
    """
    folder = find_head(DEFAULT_HEAD) / POSES_FOLDER if folder is None else folder
    path = folder / POSES_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ModelError(f"{path} has format {content['format']}, this version reads {_FORMAT}; update the add-on")
        return {
            emotion: EmotionPose(
                emotion,
                {name: float(weight) for name, weight in content["poses"][emotion]["expression"].items()},
                float(content["poses"][emotion]["jaw"]),
                folder / f"{emotion}.png",
            )
            for emotion in EMOTIONS
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} cannot be read ({error}); take the head's folder from its source again") from error


def apply_pose(rig: HeadRig, pose: EmotionPose, amount: float, frame: float | None = None) -> int:
    """Give a head an emotion's face, and return how many shape keys were set.

    Shape keys that no emotion uses, such as those of the tongue, stay as they are.

    Args:
        rig: the head.
        pose: the face.
        amount: factor on it; 0 gives the neutral face.
        frame: the frame at which the face is keyed; None to leave it without keys.

    Raises:
        InputError: if the head's components have other names.
    """
    values, opening = pose_values(rig, pose, amount)
    for key_name, value in values.items():
        for key in _keys_named(rig, key_name):
            key.value = value
            if frame is not None:
                key.keyframe_insert("value", frame=frame)
    bone = rig.bone(_JAW)
    if bone is not None:
        location, _, scale = bone.matrix_basis.decompose()
        bone.matrix_basis = Matrix.LocRotScale(location, _jaw_rotation(rig, bone, opening).to_quaternion(), scale)
        if frame is not None:
            bone.keyframe_insert(_CHANNELS.get(bone.rotation_mode, "rotation_euler"), frame=frame)
    return len(values)


def _keys_named(rig: HeadRig, name: str) -> list[bpy.types.ShapeKey]:
    """The shape keys of this name, one for each mesh that has it."""
    owners = [keys for mesh in rig.meshes if (keys := mesh_of(mesh).shape_keys) is not None]
    return [keys.key_blocks[name] for keys in owners if name in keys.key_blocks]


def has_poses(rig: HeadRig) -> bool:
    """Whether the poses may fit a head, by one name; `pose_values` checks all."""
    return _SAMPLE_NAME in (rig.expression_names or ())


def pose_values(rig: HeadRig, pose: EmotionPose, amount: float = 1.0) -> tuple[dict[str, float], float]:
    """The value of each shape key of a head that any emotion uses, and the opening of the jaw's bone, radians.

    Args:
        rig: the head.
        pose: the face.
        amount: factor on it.

    Raises:
        InputError: if the head has none of the components.
    """
    names = rig.expression_names or ()
    used = {name for other in read_poses().values() for name in other.expression}
    if not used <= set(names):
        raise InputError(
            f"head {rig.mesh.name!r} has no expression components of the open head's names, such as {_SAMPLE_NAME}; "
            "choose an open head"
        )
    if rig.target is not None:
        return _values_on_character(calibrated_target(rig, rig.target), names, pose, amount, {*used, *JAW_NAMES})
    values = {
        key: amount * pose.expression.get(name, 0.0)
        for name, key in zip(names, rig.expression_keys, strict=True)
        if name in used
    }
    return values, amount * pose.jaw


def _values_on_character(
    target: Target, names: Sequence[str], pose: EmotionPose, amount: float, used: Collection[str]
) -> tuple[dict[str, float], float]:
    """What `pose_values` gives for a character, whose table says what the components do."""
    expression = amount * np.array([[pose.expression.get(name, 0.0) for name in names]], np.float32)
    jaw = np.array([[amount * pose.jaw, 0.0, 0.0]], np.float32)
    put = put_on(target, FaceMotion(expression, jaw, 25.0, meta={"expression_names": list(names)}))
    keys = {row.target for row in target.mapping.rows if row.channel == KEY and row.enabled and row.source in used}
    values = {name: float(value[0]) for (name, channel), value in put.values.items() if channel == KEY and name in keys}
    return values, float(put.rotations[_JAW][0, 0]) if _JAW in put.rotations else 0.0


def make_pose_actions(rig: HeadRig) -> list[bpy.types.Action]:
    """New actions, marked as assets, for the emotions that have none yet: one key of each shape key and of the jaw.

    Raises:
        InputError: if the head's components have other names.
    """
    existing = {action.get(EMOTION_PROPERTY) for action in bpy.data.actions if action.library is None}
    return [
        _pose_action(rig, pose) for emotion, pose in read_poses().items() if _identifier(rig, emotion) not in existing
    ]


def _identifier(rig: HeadRig, emotion: str) -> str:
    """What marks an emotion's action: those of open heads fit one another, those of a character only itself."""
    return emotion if rig.target is None else f"{emotion} {rig.mesh.name}"


def _pose_action(rig: HeadRig, pose: EmotionPose) -> bpy.types.Action:
    values, opening = pose_values(rig, pose)
    of_character = "" if rig.target is None else f" {rig.mesh.name}"
    action = bpy.data.actions.new(f"Emotion {pose.emotion.capitalize()}{of_character}")
    action[EMOTION_PROPERTY] = _identifier(rig, pose.emotion)
    name = next((keys.name for mesh in rig.meshes if (keys := mesh_of(mesh).shape_keys) is not None), rig.mesh.name)
    channels = action_channelbag(action, action.slots.new(id_type="KEY", name=name))
    for key_name, value in values.items():
        path = key_path(key_name)
        channels.fcurves.new(path).keyframe_points.insert(1, value)
    bone = rig.bone(_JAW)
    if bone is not None:
        channels = action_channelbag(action, action.slots.new(id_type="OBJECT", name=present(rig.armature).name))
        _key_rotation(channels, bone, _jaw_rotation(rig, bone, opening))
    action.asset_mark()
    asset = present(action.asset_data)
    asset.description = f"The open head's face for {pose.emotion}, as shape keys and jaw"
    asset.author, asset.license = "EMOTE", "CC0-1.0"
    asset.tags.new("EMOTE")
    asset.tags.new(pose.emotion)
    if pose.picture.is_file():
        set_preview(action, read_picture(pose.picture))
    return action


def _key_rotation(channels: bpy.types.ActionChannelbag, bone: bpy.types.PoseBone, rotation: Matrix) -> None:
    """Add a key of a bone's rotation at frame 1."""
    if bone.rotation_mode == "QUATERNION":
        rotated = [*rotation.to_quaternion()[:]]
    elif bone.rotation_mode == "AXIS_ANGLE":
        axis, angle = rotation.to_quaternion().to_axis_angle()
        rotated = [angle, *axis[:]]
    else:
        rotated = [*rotation.to_euler(bone.rotation_mode)[:]]
    path = f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].'
    path += _CHANNELS.get(bone.rotation_mode, "rotation_euler")
    for index, value in enumerate(rotated):
        channels.fcurves.new(path, index=index).keyframe_points.insert(1, value)


def _jaw_rotation(rig: HeadRig, bone: bpy.types.PoseBone, angle: float) -> Matrix:
    """The jaw bone's own rotation that opens the jaw by an angle, radians."""
    left = Vector(rig.turning_axes[:, 0].tolist())
    axis = bone.bone.matrix_local.to_3x3().inverted() @ left
    return Matrix.Rotation(angle, 3, axis)
