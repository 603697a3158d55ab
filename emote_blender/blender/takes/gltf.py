"""glTF export: takes become animations with mouth shapes and bones.

Blender's exporter calls this through its hooks for other add-ons (`glTF2ExportUserExtension` in the package). By
itself, in the mode Actions it leaves out the mouth shapes of takes that share an NLA track, and evaluates shape keys on
top of the takes in use; in the mode NLA Tracks it adds alternates to the takes in use, and separates shapes from bones.
"""

from __future__ import annotations

from typing import Any

import bpy

from ..head.rig import head_of
from ..narrow import mesh_of
from ..settings.head_settings import head_settings
from .layout import IN_USE, REST, is_rest, track_kind


class TakesInGltf:
    """Hooks of the glTF exporter."""

    def __init__(self) -> None:
        self._use_nla: dict[bpy.types.Key, bool] = {}

    def gather_actions_hook(
        self, blender_object: bpy.types.Object | None, actions: Any, export_settings: dict[str, Any]
    ) -> None:
        """Add the takes of a head to the actions of its mesh and of its armature; leave out the rest layer."""
        if blender_object is None or export_settings["gltf_animation_mode"] != "ACTIONS":
            return
        head = head_of(blender_object)
        if head is None or not head_settings(head).takes:
            return
        from io_scene_gltf2.blender.exp.animation.action import ActionData  # where a take becomes an animation

        id_type = "OBJECT" if blender_object.type == "ARMATURE" else "KEY"
        _leave_out_rest(actions)
        for take in head_settings(head).takes:
            action = take.action
            for slot in action.slots if action is not None else ():
                if slot.target_id_type == id_type and not actions.exists(action, slot):
                    gathered = ActionData(action)
                    gathered.add_slot(slot, id_type, None)
                    actions.add_action(gathered)

    def gather_tracks_hook(
        self, blender_object: bpy.types.Object | None, tracks: Any, export_settings: dict[str, Any]
    ) -> None:
        """Group the NLA tracks of a head: the takes in use together, each track of alternates by itself."""
        if blender_object is None or not tracks.tracks:
            return
        head = head_of(blender_object)
        if head is None:
            return
        keys = mesh_of(blender_object).shape_keys if blender_object.type == "MESH" else None
        owners: dict[str, Any] = {"OBJECT": blender_object, "KEY": keys}
        group_class = type(tracks.tracks[0])  # tracks that are exported together, a name, and OBJECT or KEY
        for id_type, owner in owners.items():
            ours: dict[str, list[Any]] = {}
            rest: list[Any] = []
            for group in [group for group in tracks.tracks if group.on_type == id_type]:
                for track in list(group.tracks):
                    nla_track = owner.animation_data.nla_tracks[track.idx]
                    kind = track_kind(nla_track)
                    if kind is not None:
                        group.tracks.remove(track)
                    if kind == REST:
                        rest.append(track)
                    elif kind is not None:
                        ours.setdefault(kind if kind == IN_USE else nla_track.name, []).append(track)
            tracks.tracks = [group for group in tracks.tracks if group.tracks]
            tracks.tracks += [group_class([*rest, *members], name, id_type) for name, members in ours.items()]

    def animation_switch_loop_hook(
        self, blender_object: bpy.types.Object | None, done: bool, export_settings: dict[str, Any]
    ) -> None:
        """Keep the NLA out of a head's shape keys while actions are exported, as the exporter does for objects."""
        if blender_object is None or blender_object.type != "MESH" or head_of(blender_object) is None:
            return
        keys = mesh_of(blender_object).shape_keys
        data = keys.animation_data if keys is not None else None
        if keys is None or data is None:
            return
        if done:
            data.use_nla = self._use_nla.pop(keys, data.use_nla)
        else:
            self._use_nla[keys] = data.use_nla
            data.use_nla = False


def _leave_out_rest(actions: Any) -> None:
    """Remove the rest layer, which is no animation, from what the exporter gathered."""
    for number, gathered in list(actions.actions.items()):
        if any(is_rest(data.action) for data in gathered):
            del actions.actions[number]
