"""Write a take's curves again, after a setting or its place has changed."""

from __future__ import annotations

import re

import bpy
import numpy as np

from ...errors import EmoteError, InputError
from ...motion_tools.raw_take import RawTake
from ...motion_tools.sparse_keys import BezierKeys, sparse_keys
from ...retarget.compatibility import check_fits_head
from ...retarget.conversion import face_of, motion_source, require_names
from ..head.head_rig import HeadRig
from ..head.rig import rig_of
from ..head.shape_keys import SLIDER_LIMIT
from ..narrow import present
from ..settings.head_settings import head_settings
from ..settings.take_settings import EMOTE_PG_take
from . import layout
from .between_lines import outdated_idle_takes
from .channels import Channel, channels_of
from .curves import write_channels
from .error_bounds import ErrorBound, channel_bounds
from .fades import FADES_PROPERTY, as_numbers, fades_in_use, fades_of, first_frame, written_fades
from .gaze_target import note_target
from .names import free_take_name
from .refinement import note_slider_keys
from .render import rendered_take
from .sampling import ChannelPath
from .store import is_take, keep_settings, kept_raw, origin_of

_TAKE_PATH = re.compile(r"emote\.takes\[(\d+)\]")


def rewrite(head: bpy.types.Object, take: EMOTE_PG_take, preview: RawTake | None = None) -> None:
    """Write the curves of a take from its raw motion and its settings; what the artist edited stays.

    Strips stay where they are, and play what the action holds now. Lines before and after it that blend with it are
    written again if that changes.

    Args:
        head: mesh object of the head.
        take: the take.
        preview: a raw motion to show instead of the one that the take keeps.

    Raises:
        InputError: if head or action are gone, linked or damaged.
        ModelError: if the motion's components are not the head's.
    """
    rig = rig_of(head)
    before = written_fades(take.action) if take.action is not None else []
    _write(rig, take, preview)
    if before != written_fades(present(take.action)):
        settle(rig)


def settle(rig: HeadRig) -> None:
    """Write again the takes in use that other lines have changed, because those came, went or moved.

    These are takes whose fades have changed, and idle takes.
    """
    index = layout.StripIndex(rig)
    for take, fades in fades_in_use(rig, index):
        action = present(take.action)
        if action.library is None and is_take(action) and written_fades(action) != as_numbers(fades):
            _write(rig, take)
    for take in outdated_idle_takes(rig):
        _write(rig, take)


def _write(rig: HeadRig, take: EMOTE_PG_take, preview: RawTake | None = None) -> None:
    action = own_action(rig, take)
    raw = kept_raw(action) if preview is None else preview
    require_fitting(rig, raw.emotional)
    index = layout.StripIndex(rig)
    fades = fades_of(rig, take, index)
    rendered = rendered_take(rig, take, raw, fades, first_frame(take, index))
    channels = channels_of(rig, rendered.motion)
    frames = rendered.frames(origin_of(action, take))
    sparse = _sparse(rig, take, channels)
    write_channels(action, layout.owners_of(rig), channels, frames, sparse)
    action[FADES_PROPERTY] = as_numbers(fades)
    _widen_sliders(rig, channels)
    layout.hold_at_rest(rig, channels)
    start = take.frame_start - rendered.lead_frames
    layout.fit(rig, action, layout.Span(float(frames[0]), float(frames[-1]), start), take.in_use)
    keep_settings(take, action)
    note_slider_keys(rig.mesh, take)
    note_target(rig, take)


def _sparse(rig: HeadRig, take: EMOTE_PG_take, channels: list[Channel]) -> list[BezierKeys] | None:
    """The sparse keys of a take's channels; None if it has a key on every frame."""
    if take.key_spacing == "EVERY_FRAME" or not channels:
        return None
    paths = [ChannelPath(channel.id_type, channel.data_path, channel.index) for channel in channels]
    values = np.stack([channel.values for channel in channels]).astype(np.float64)
    metres_per_unit = take.scene.unit_settings.scale_length if take.scene is not None else 1.0
    bound = ErrorBound(take.key_spacing, take.key_error)
    return sparse_keys(values, channel_bounds(bound, paths, values, rig, metres_per_unit))


def own_action(rig: HeadRig, take: EMOTE_PG_take) -> bpy.types.Action:
    """The action of a take; a copy of it, if a duplicate of the head plays it too.

    Raises:
        InputError: if it is gone, or linked from another file.
    """
    action = take.action
    if action is None:
        raise InputError(f"the action of take {take.name!r} was deleted; remove the take and generate it again")
    if action.library is not None:
        raise InputError(f"action {action.name!r} is linked from {action.library.filepath}; make it local first")
    if rig.target is not None and not _plays_alone(rig, action):
        layout.leave_former_parts(action)
    if _plays_alone(rig, action) or any(layout.players_beside(rig, owner, action) for owner in layout.owners_of(rig)):
        return action  # or both heads show the same strips
    strips = _strips(rig, action)
    copied = action.copy()
    copied.name = take.name = free_take_name(
        take.name, [other for other in head_settings(rig.mesh).takes if other != take]
    )
    copied.use_fake_user = True
    take.action = copied
    for strip in strips:
        slot_type = strip.action_slot.target_id_type if strip.action_slot else None
        strip.action = copied
        strip.action_slot = next((slot for slot in copied.slots if slot.target_id_type == slot_type), None)
    return copied


def _strips(rig: HeadRig, action: bpy.types.Action) -> list[bpy.types.NlaStrip]:
    return [strip for owner in layout.owners_of(rig) for _, strip in layout.strips_of(owner, action)]


def _plays_alone(rig: HeadRig, action: bpy.types.Action) -> bool:
    """Whether a head is all that uses the action of one of its takes."""
    owners = layout.owners_of(rig)
    active = [owner for owner in owners if owner.animation_data and owner.animation_data.action == action]
    return action.users <= 1 + len(_strips(rig, action)) + len(active) + action.use_fake_user


def require_fitting(rig: HeadRig, motion) -> None:
    """Raise an error if a motion's components are not the head's.

    Raises:
        InputError: if the motion contradicts itself.
        ModelError: if it is made for another face.
    """
    require_names(motion)
    names = motion.meta.get("expression_names")
    check_fits_head(
        motion_source(motion),
        face_of(motion, rig),
        motion.num_expression,
        tuple(names) if names else None,
        rig,
    )


def follow_slider(head: bpy.types.Object, settings: bpy.types.PropertyGroup) -> None:
    """Rewrite the take that a changed slider belongs to; for `live.listen`. A take that cannot be written stays."""
    match = _TAKE_PATH.match(settings.path_from_id())
    take = head_settings(head).takes[int(match[1])] if match else None
    if take is None or take.action is None:
        return
    try:
        rewrite(head, take)
    except EmoteError:
        pass  # the panel's state says what is wrong; a slider has nowhere to report it


def _widen_sliders(rig: HeadRig, channels: list[Channel]) -> None:
    """Widen the ranges of shape keys to their values, as an animated value is clamped to the slider's range."""
    for owner in layout.owners_of(rig):
        for channel in channels if isinstance(owner, bpy.types.Key) else ():
            if channel.id_type == "KEY" and layout.has_channel(owner, channel.data_path):
                key = owner.path_resolve(channel.data_path.removesuffix(".value"))
                low, high = float(channel.values.min()) + channel.rest, float(channel.values.max()) + channel.rest
                if low < key.slider_min:
                    key.slider_min = max(low, -SLIDER_LIMIT)
                if high > key.slider_max:
                    key.slider_max = min(high, SLIDER_LIMIT)
