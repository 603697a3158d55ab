"""Motion on a head: a new action with f-curves of shape keys and bones."""

from __future__ import annotations

import io
import json

import bpy
import numpy as np
from mathutils import Matrix

from ...errors import InputError
from ...motion import FaceMotion
from ...motion_tools.rotation import axis_angle_to_matrix
from ...motion_tools.timing import frames_per_second
from ...retarget.compatibility import check_fits_head, version_warning
from ..compat import action_channelbag
from ..head.joints import joint_displacements
from ..head.rig import HeadRig, rig_of
from ..narrow import mesh_of, pose_bones, shape_keys_of
from .keyframes import new_slot, rotation_channels, write_curve

# The model's motion is stored with its action, so that a take can be changed without inference.
TAKE_PROPERTY = "emote_take"
_SLIDER_LIMIT = 10.0  # Blender allows no more
_SMALLEST_SHIFT = 1e-5  # metres that a joint may be off without a curve of its own


def apply_motion(
    head: bpy.types.Object, motion: FaceMotion, scene: bpy.types.Scene, frame_start: int = 1, name: str = ""
) -> bpy.types.Action:
    """A new action that moves the head; the head's earlier actions stay in the file.

    The motion is resampled to whole frames of the scene, so that the artist gets one key per frame: frame n shows the
    motion at (n - frame_start) / fps seconds. Before and after the motion, its first and last pose are held.

    Args:
        head: mesh object of a head.
        motion: the motion.
        scene: the scene whose frame rate is used.
        frame_start: scene frame of the motion's first frame.
        name: name of the action.

    Raises:
        InputError: if the head cannot be animated.
        ModelError: if the motion's components are not the head's.
    """
    rig = rig_of(head)
    meta = motion.meta
    names = meta.get("expression_names")
    if names and len(names) != motion.num_expression:
        raise InputError(
            f"the motion names {len(names)} expression components but holds {motion.num_expression}; generate it again"
        )
    check_fits_head(
        f"the motion of {meta.get('model') or 'this file'}",
        meta.get("face") or rig.basis,
        motion.num_expression,
        tuple(names) if names else None,
        rig,
    )
    _require_no_tweak_mode(rig)
    fps = frames_per_second(scene.render.fps, scene.render.fps_base)
    played = motion.resampled(fps, motion.sound_seconds)
    frames = frame_start + np.arange(played.num_frames, dtype=np.float64)
    action = bpy.data.actions.new(name or f"{head.name} speech")
    action.use_fake_user = True
    _write_expression(action, rig, played, frames)
    _write_bones(action, rig, played, frames)
    keep_motion(action, motion, head=head.name, scene=scene.name, frame_start=frame_start)
    return action


def rig_warnings(source: str, face: str, rig: HeadRig) -> tuple[str, ...]:
    """Warnings, one sentence each, about coefficients of the basis `face` on this head.

    Args:
        source: the model or the motion, as sentences name it.
        face: basis of the coefficients.
        rig: the head.
    """
    mixing = version_warning(source, face, rig)
    return (*([mixing] if mixing else []), *(f"head {rig.mesh.name!r}: {sentence}" for sentence in rig.missing))


def keep_motion(action: bpy.types.Action, motion: FaceMotion, **place: str | int) -> None:
    """Store a motion on an action, in the format of a motion file, and its place in the scene."""
    arrays = {"expression": motion.expression, "jaw": motion.jaw, "eyes": motion.eyes, "neck": motion.neck}
    content = io.BytesIO()
    np.savez_compressed(
        content,
        fps=np.float64(motion.fps),
        meta=np.array(json.dumps(motion.meta, ensure_ascii=False)),
        **{key: values for key, values in arrays.items() if values is not None},
    )
    action[TAKE_PROPERTY] = content.getvalue()
    action[f"{TAKE_PROPERTY}_place"] = json.dumps(place, ensure_ascii=False)


def kept_motion(action: bpy.types.Action) -> FaceMotion:
    """The motion that `keep_motion` stored; raises InputError if the action has none."""
    if action.get(TAKE_PROPERTY) is None:
        raise InputError(f"action {action.name!r} holds no take of EMOTE; choose one that it generated")
    with np.load(io.BytesIO(action[TAKE_PROPERTY]), allow_pickle=False) as arrays:
        return FaceMotion(
            arrays["expression"],
            arrays["jaw"],
            float(arrays["fps"]),
            arrays["eyes"] if "eyes" in arrays else None,
            arrays["neck"] if "neck" in arrays else None,
            json.loads(str(arrays["meta"])),
        )


def _write_expression(action: bpy.types.Action, rig: HeadRig, motion: FaceMotion, frames: np.ndarray) -> None:
    shape_keys = shape_keys_of(rig.mesh)
    slot = new_slot(action, shape_keys)
    for component, key_name in enumerate(_keys_of(motion, rig)):
        key = shape_keys.key_blocks[key_name]
        values = np.clip(motion.expression[:, component], -_SLIDER_LIMIT, _SLIDER_LIMIT)
        # An animated value is clamped to the slider's range.
        key.slider_min = min(key.slider_min, float(values.min()))
        key.slider_max = max(key.slider_max, float(values.max()))
        path = f'key_blocks["{bpy.utils.escape_identifier(key.name)}"].value'
        write_curve(action, slot, path, 0, frames, values, group="Expression")
    _assign(shape_keys, action, slot)


def _keys_of(motion: FaceMotion, rig: HeadRig) -> list[str]:
    """The head's shape key of each of the motion's components: by name where both have names, else by number."""
    names = motion.meta.get("expression_names")
    if names and rig.expression_names:
        key_of = dict(zip(rig.expression_names, rig.expression_keys))
        return [key_of[name] for name in names]
    return list(rig.expression_keys[: motion.num_expression])


def _write_bones(action: bpy.types.Action, rig: HeadRig, motion: FaceMotion, frames: np.ndarray) -> None:
    slot = new_slot(action, rig.armature)
    left_eye, right_eye = (None, None) if motion.eyes is None else (motion.eyes[:, :3], motion.eyes[:, 3:])
    rotations = {"jaw": motion.jaw, "neck": motion.neck, "left_eye": left_eye, "right_eye": right_eye}
    before = _animated_bones(rig.armature)
    displacements = joint_displacements(mesh_of(rig.mesh), _keys_of(motion, rig))
    expression = np.clip(motion.expression, -_SLIDER_LIMIT, _SLIDER_LIMIT)
    for bone_name, rotation in rotations.items():
        bone = pose_bones(rig.armature).get(bone_name)
        if bone is None:
            continue
        if rotation is None:
            if bone_name in before:
                # The take before animated this bone and this one does not: reset the pose that it left.
                bone.matrix_basis = Matrix.Identity(4)
            continue
        rest = np.array(bone.bone.matrix_local.to_3x3())
        local = rotation @ (rest.T @ rig.axes).T
        channels = [rotation_channels(local, bone.rotation_mode)]
        shift = np.zeros((1, 3))
        if bone_name in displacements:
            shift = _joint_shift(local, expression @ displacements[bone_name] @ rest)
        if np.abs(shift).max() > _SMALLEST_SHIFT:
            channels.append(("location", shift))
        elif bone_name in before:
            bone.location = (0.0, 0.0, 0.0)
        for channel, values in channels:
            path = f'pose.bones["{bpy.utils.escape_identifier(bone_name)}"].{channel}'
            for index in range(values.shape[1]):
                write_curve(action, slot, path, index, frames, values[:, index], group=bone_name)
    _assign(rig.armature, action, slot)


def _joint_shift(rotation: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """(T, 3) location of a bone, metres, by which it rotates about a displaced joint: (I - R) d.

    Args:
        rotation: (T, 3) axis-angle in the bone's axes, radians.
        displacement: (T, 3) displacement of the joint by the expression, in the bone's axes, metres.
    """
    turned = np.einsum("tij,tj->ti", axis_angle_to_matrix(rotation), displacement)
    return displacement - turned


def _animated_bones(armature: bpy.types.Object) -> set[str]:
    """Names of the bones that the armature's present take animates."""
    data = armature.animation_data
    if data is None or data.action is None or data.action.get(TAKE_PROPERTY) is None or data.action_slot is None:
        return set()
    curves = action_channelbag(data.action, data.action_slot).fcurves
    return {bone.name for bone in pose_bones(armature) if any(f'"{bone.name}"' in curve.data_path for curve in curves)}


def _assign(owner: bpy.types.Object | bpy.types.Key, action: bpy.types.Action, slot: bpy.types.ActionSlot) -> None:
    """Assign an action's slot to a data-block; its former action is kept in the file."""
    data = owner.animation_data or owner.animation_data_create()
    if data.action is not None:
        data.action.use_fake_user = True
    data.action = action
    data.action_slot = slot


def _require_no_tweak_mode(rig: HeadRig) -> None:
    for owner in (rig.armature, shape_keys_of(rig.mesh)):
        if owner.animation_data is not None and owner.animation_data.use_tweak_mode:
            raise InputError(
                f"an NLA strip of {owner.name!r} is being edited (tweak mode); leave tweak mode in the NLA editor first"
            )
