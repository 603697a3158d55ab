"""The head that is checked, with what plays on it: read from the file once for all checks."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import bpy

from ..head.head_rig import HeadRig
from ..head.rig import rig_of
from ..narrow import mesh_of, present
from ..scene.strips import line_scene, strip_scenes
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes.bake import plays_baked
from ..takes.layout import has_channel, owners_of
from ..takes.store import is_take, origin_of

# A data-block on which takes are played.
Owner = bpy.types.Key | bpy.types.Object
# A strip of the NLA on its track.
Placed = tuple[bpy.types.NlaTrack, bpy.types.NlaStrip]


# Channels of an action by its session identifier and the number of its curves.
_channels: dict[tuple[int, int, int], frozenset[tuple[str, int]]] = {}
_MOST_ACTIONS = 4096


@dataclass(frozen=True, eq=False)
class Subject:
    """A head that can be animated, in its scene.

    Attributes:
        context: the context that the check was asked in.
        scene: the window's scene, or the head's if it is not in that.
        rig: mesh, armature and shape keys of the head.
        takes: the takes in use that have an action.
        played: the actions of these takes; without any, the active action if it is a take of an earlier version.
        placed: the NLA strips of these actions, with their tracks, on each of the owners.
    """

    context: bpy.types.Context
    scene: bpy.types.Scene
    rig: HeadRig
    takes: tuple[EMOTE_PG_take, ...]
    played: tuple[bpy.types.Action, ...]
    placed: tuple[tuple[Placed, ...], ...]

    def strips(self, owner: Owner) -> tuple[Placed, ...]:
        """The NLA strips of the takes in use on one of the owners."""
        return self.placed[self.owners.index(owner)]

    def strip(self, take: EMOTE_PG_take) -> bpy.types.NlaStrip | None:
        """The NLA strip of a take, on any of the owners."""
        return self._strip_of_action.get(present(take.action).session_uid)

    @functools.cached_property
    def _strip_of_action(self) -> dict[int, bpy.types.NlaStrip]:
        return {present(strip.action).session_uid: strip for placed in reversed(self.placed) for _, strip in placed}

    def first_frame(self, take: EMOTE_PG_take) -> float:
        """The scene frame at which a take's line begins, wherever its NLA strip is now."""
        strip = self.strip(take)
        if strip is None:
            return take.frame_start
        return strip.frame_start + (origin_of(present(take.action), take) - strip.action_frame_start) * strip.scale

    def bag(self, owner: Owner, action: bpy.types.Action) -> bpy.types.ActionChannelbag | None:
        """The f-curves of a take on one of the owners."""
        key = (owner.id_type, action.session_uid)
        if key not in self._bags:
            self._bags[key] = channelbag(action, slot_for(owner, action))
        return self._bags[key]

    @functools.cached_property
    def _bags(self) -> dict[tuple[str, int], bpy.types.ActionChannelbag | None]:
        return {}

    def channels(self, owner: Owner, action: bpy.types.Action) -> frozenset[tuple[str, int]]:
        """Data path and index of every channel that a take writes on an owner; kept, as it reads every curve."""
        bag = self.bag(owner, action)
        if bag is None:
            return frozenset()
        key = (action.session_uid, len(bag.fcurves), owner.session_uid)
        if key not in _channels:
            if len(_channels) >= _MOST_ACTIONS:
                _channels.clear()
            curves = (curve for curve in bag.fcurves if has_channel(owner, curve.data_path))
            _channels[key] = frozenset((curve.data_path, curve.array_index) for curve in curves)
        return _channels[key]

    @property
    def plays_baked(self) -> bool:
        """Whether a baked action is played instead of the takes."""
        return plays_baked(self.rig)

    @property
    def head(self) -> bpy.types.Object:
        """The head's mesh object."""
        return self.rig.mesh

    @property
    def meshes(self) -> tuple[bpy.types.Object, ...]:
        """The mesh objects with shape keys that takes animate, the head's own first."""
        return tuple(mesh for mesh in self.rig.meshes if mesh_of(mesh).shape_keys is not None)

    @functools.cached_property
    def owners(self) -> tuple[Owner, ...]:
        """The data-blocks that takes animate: the shape keys of every mesh, and the armature if there is one."""
        return owners_of(self.rig)


def read_subject(context: bpy.types.Context, head: bpy.types.Object) -> Subject:
    """The head and what it plays; raises InputError if it cannot be animated."""
    rig = rig_of(head)
    takes = tuple(take for take in head_settings(head).takes if take.in_use and take.action is not None)
    played = tuple(take.action for take in takes)
    if not played:
        played = tuple({action: None for owner in owners_of(rig) for action in _old_takes(owner)})
    placed = tuple(_strips_of(owner, played) for owner in owners_of(rig))
    return Subject(context, line_scene(context, head), rig, takes, played, placed)


def _old_takes(owner: Owner) -> list[bpy.types.Action]:
    """The active action of a data-block if it is a take."""
    data = owner.animation_data
    action = data.action if data is not None else None
    return [action] if action is not None and is_take(action) else []


def noun(owner: Owner) -> str:
    """A data-block as sentences name it."""
    return "the shape keys" if isinstance(owner, bpy.types.Key) else f"the rig {owner.name!r}"


def _strips_of(owner: Owner, actions: tuple[bpy.types.Action, ...]) -> tuple[Placed, ...]:
    """The NLA strips of a data-block that play one of these actions, with their tracks."""
    if owner.animation_data is None:
        return ()
    wanted = {action.session_uid for action in actions}
    return tuple(
        (track, strip)
        for track in owner.animation_data.nla_tracks
        for strip in track.strips
        if strip.action is not None and strip.action.session_uid in wanted
    )


def slot_for(owner: Owner, action: bpy.types.Action) -> bpy.types.ActionSlot | None:
    """The slot of a take's action that moves this data-block."""
    return next((slot for slot in action.slots if slot.target_id_type == owner.id_type), None)


def channelbag(action: bpy.types.Action, slot: bpy.types.ActionSlot | None) -> bpy.types.ActionChannelbag | None:
    """The f-curves of a slot, or None; unlike `compat.action_channelbag` it makes nothing."""
    if slot is None:
        return None
    for layer in action.layers:
        for strip in layer.strips:
            if isinstance(strip, bpy.types.ActionKeyframeStrip):
                return strip.channelbag(slot)
    return None


def bone_path(name: str) -> str:
    """Data path of a pose bone."""
    return f'pose.bones["{bpy.utils.escape_identifier(name)}"]'


def drivers_of(owner: Owner) -> list[bpy.types.FCurve]:
    """The drivers of a data-block."""
    return list(owner.animation_data.drivers) if owner.animation_data is not None else []


def view_layer(subject: Subject) -> bpy.types.ViewLayer:
    """The view layer of the window, or the first one of the head's scene if that is not shown."""
    shown = present(subject.context.view_layer)
    return shown if shown.id_data == subject.scene else subject.scene.view_layers[0]


def sound_scenes(subject: Subject) -> list[bpy.types.Scene]:
    """The scenes whose strips the head can speak, its own first."""
    scenes = [subject.scene, *strip_scenes(subject.context, subject.head)]
    return list({scene.session_uid: scene for scene in scenes}.values())


# By mesh and vertex group, a vertex that was found to have a weight: asked first, as it hardly ever loses it.
_weighted: dict[tuple[int, str], int] = {}


def has_weights(mesh_object: bpy.types.Object, group_name: str) -> bool:
    """Whether any vertex has a weight in a vertex group that there is."""
    mesh, index = mesh_of(mesh_object), mesh_object.vertex_groups[group_name].index
    vertices, key = mesh.vertices, (mesh.session_uid, group_name)
    known = _weighted.get(key, 0)
    for number in itertools.chain([known if known < len(vertices) else 0], range(len(vertices))):
        if number < len(vertices) and any(item.group == index and item.weight > 0 for item in vertices[number].groups):
            _weighted[key] = number
            return True
    return False


def one_of_each_kind(owners: tuple[Owner, ...]) -> list[Owner]:
    """The first data-block of each kind: all of a kind play the same f-curves."""
    return list({owner.id_type: owner for owner in reversed(owners)}.values())


def animated(subject: Subject) -> Iterator[tuple[Owner, bpy.types.AnimData]]:
    """The data-blocks of a head that have animation data, each with it."""
    for owner in subject.owners:
        if owner.animation_data is not None:
            yield owner, owner.animation_data


def has_no_influence(strip: bpy.types.NlaStrip) -> bool:
    """Whether a strip's influence is animated, or set by hand, and never more than 0."""
    if not strip.use_animated_influence:
        return False  # Blender works it out, and shows 0 where the strip does not play
    values = [
        point.co[1] for curve in strip.fcurves if curve.data_path == "influence" for point in curve.keyframe_points
    ]
    return max(values, default=strip.influence) <= 0.0
