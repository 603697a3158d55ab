"""Where takes lie in the NLA of a head's shape keys and of its armature.

From the bottom up, on each of the two data-blocks:

- the tracks that the user had before;
- "EMOTE Rest": one strip that holds every channel which takes move at rest. Without it, Blender 5.0 and later show
  shape keys at 1 wherever no strip is (the default of ShapeKey.value), 4.5 at 0; and where all strips of a channel
  are muted, every version leaves the channel at the value that was shown last;
- "EMOTE", "EMOTE 2", ...: the takes in use; a second track only where strips overlap;
- "EMOTE Alternates", "EMOTE Alternates 2", ...: the other takes of these lines, on muted tracks;
- the tracks that the user added later, and the active action, which is never touched.

A take's strip has extrapolation NOTHING, so that it says nothing outside its frames. On shape keys it is added (ADD),
on bones combined (COMBINE): the fades of lines that follow each other add up to a cross-fade, and what the user
animates below stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bpy

from ...errors import InputError
from ..characters.rig import further_meshes, is_character
from ..compat import action_channelbag, slot_curves
from ..head.head_rig import HeadRig
from ..head.rig import armature_of_head
from ..narrow import mesh_of, present
from ..settings.head_settings import head_settings
from .channels import Channel, bone_path
from .curves import channelbag_of, slot_for

IN_USE, ALTERNATES, REST = "EMOTE", "EMOTE Alternates", "EMOTE Rest"
_REST_PROPERTY = "emote_rest"
_SAME = 1e-6

Owner = bpy.types.Key | bpy.types.Object


@dataclass(frozen=True)
class Span:
    """Where a take lies.

    Attributes:
        action_start: first frame of the action that is played.
        action_end: last frame of the action that is played.
        start: scene frame at which `action_start` lies.
    """

    action_start: float
    action_end: float
    start: float

    @property
    def length(self) -> float:
        """Frames; at least 1, as Blender allows no shorter strip."""
        return max(1.0, self.action_end - self.action_start)


def owners_of(rig: HeadRig) -> tuple[Owner, ...]:
    """The data-blocks of a head that takes animate: the shape keys of its meshes and its armature object.

    The shape keys of several meshes play one slot of a take's action: each moves by the curves of the keys that it has.
    """
    keys = dict.fromkeys(keys for mesh in rig.meshes if (keys := mesh_of(mesh).shape_keys) is not None)
    return (*keys, *([] if rig.armature is None else [rig.armature]))


def has_channel(owner: Owner, data_path: str) -> bool:
    """Whether a data-block has the shape key or bone that a channel moves."""
    try:
        owner.path_resolve(data_path.rpartition(".")[0])
    except ValueError:
        return False
    return True


class StripIndex:
    """The strips of a head by the action that they play, read once.

    It holds Blender data: use it within one function, and make a new one after strips were added or removed.
    """

    def __init__(self, rig: HeadRig) -> None:
        self._found: dict[int, list[bpy.types.NlaStrip]] = {}
        for owner in reversed(owners_of(rig)):
            for _, strip in _all_strips(owner):
                if strip.action is not None:
                    self._found.setdefault(strip.action.session_uid, []).append(strip)

    def strip(self, action: bpy.types.Action | None) -> bpy.types.NlaStrip | None:
        """A strip that plays the action: the armature's, or that of the shape keys."""
        found = self._found.get(action.session_uid) if action is not None else None
        return found[0] if found else None

    def strips(self, action: bpy.types.Action | None) -> list[bpy.types.NlaStrip]:
        """All strips that play the action."""
        return self._found.get(action.session_uid, []) if action is not None else []


def strips_of(owner: Owner, action: bpy.types.Action) -> list[tuple[bpy.types.NlaTrack, bpy.types.NlaStrip]]:
    """The strips of a data-block that play an action, each with its track; also those inside meta strips."""
    return [(track, strip) for track, strip in _all_strips(owner) if strip.action == action]


def span_of(rig: HeadRig, action: bpy.types.Action) -> Span | None:
    """What the strips of an action play and where; None without a strip."""
    for owner in owners_of(rig):
        for _, strip in strips_of(owner, action):
            return Span(strip.action_frame_start, strip.action_frame_end, strip.frame_start)
    return None


def lay(rig: HeadRig, action: bpy.types.Action, span: Span, in_use: bool) -> None:
    """Give an action new strips on a head: on the tracks of takes in use, or on a muted track of alternates."""
    take_away(rig, action)
    for owner in owners_of(rig):
        channelbag = channelbag_of(action, owner.id_type)
        if channelbag is None or not _moves(channelbag, owner):
            continue
        track = _free_track(owner, IN_USE if in_use else ALTERNATES, span)
        strip = track.strips.new(action.name, int(span.start), action)
        strip.action_slot = channelbag.slot
        # COMBINE multiplies quaternions; on numbers it is the same as ADD.
        strip.blend_type = "COMBINE" if isinstance(owner, bpy.types.Object) else "ADD"
        strip.extrapolation = "NOTHING"
        strip.use_auto_blend = False
        _set_span(strip, span)


def fit(rig: HeadRig, action: bpy.types.Action, span: Span, in_use: bool) -> None:
    """Let the strips of a rewritten action play all of it, at the place and speed that they have; add missing ones.

    Args:
        rig: the head.
        action: the take's action.
        span: what the action holds now; its place counts only if there are no strips.
        in_use: where missing strips go.
    """
    lacking = False
    for owner in owners_of(rig):
        found = strips_of(owner, action)
        channelbag = channelbag_of(action, owner.id_type)
        has_curves = channelbag is not None and _moves(channelbag, owner)
        lacking = lacking or (has_curves and not found)
        for _, strip in found:
            moved = (span.action_start - strip.action_frame_start) * strip.scale
            if (strip.action_frame_start, strip.action_frame_end) != (span.action_start, span.action_end):
                _set_span(strip, Span(span.action_start, span.action_end, strip.frame_start + moved), strip.scale)
    if lacking:
        lay(rig, action, span_of(rig, action) or span, in_use)


def _moves(channelbag: bpy.types.ActionChannelbag, owner: Owner) -> bool:
    """Whether one of these curves moves something that a data-block has."""
    return any(has_channel(owner, curve.data_path) for curve in channelbag.fcurves)


def is_in_use(rig: HeadRig, action: bpy.types.Action) -> bool | None:
    """Whether a take's strips are on tracks of takes in use; None without strips."""
    for owner in owners_of(rig):
        for track, _ in strips_of(owner, action):
            # A track of a library can only be muted.
            return not (track.mute if track.is_override_data else track_kind(track) == ALTERNATES)
    return None


def take_away(rig: HeadRig, action: bpy.types.Action) -> None:
    """Remove the strips of an action from a head, and tracks of this add-on that are empty then.

    Strips of a data-block that another head with this take shares stay.
    """
    for owner in owners_of(rig):
        if players_beside(rig, owner, action):
            continue
        for track, strip in strips_of(owner, action):
            if track.is_override_data:
                raise InputError(
                    f"strip {strip.name!r} on track {track.name!r} belongs to the library of {owner.name!r} and cannot "
                    "be moved or removed here; mute the track in the NLA editor and try again, or make the head local"
                )
            if strip not in list(track.strips):
                raise InputError(
                    f"strip {strip.name!r} is inside a meta strip of track {track.name!r}; ungroup it in the NLA editor"
                )
            track.strips.remove(strip)
            if not len(track.strips) and _is_ours(track):
                present_tracks(owner).remove(track)


def present_tracks(owner: Owner) -> bpy.types.NlaTracks:
    """The NLA tracks of a data-block."""
    return (owner.animation_data or owner.animation_data_create()).nla_tracks


def require_no_tweak_mode(rig: HeadRig) -> None:
    """Raise InputError while a strip of the head is edited in tweak mode."""
    for owner in owners_of(rig):
        if owner.animation_data is not None and owner.animation_data.use_tweak_mode:
            raise InputError(
                f"an NLA strip of {owner.name!r} is being edited (tweak mode); leave tweak mode in the NLA editor first"
            )


# ---- rest ------------------------------------------------------------------------------------------------------------


def hold_at_rest(rig: HeadRig, channels: Sequence[Channel]) -> None:
    """Let the rest tracks hold these channels wherever no take moves them; call it before `lay`.

    Shape keys and the jaw are held at rest, eyes and neck in the pose that they have by hand. What a track of the
    user below animates is left to it.
    """
    for owner in owners_of(rig):
        animated = _animated_below(owner)
        wanted = [
            channel
            for channel in channels
            if channel.id_type == owner.id_type
            and (channel.data_path, channel.index) not in animated
            and has_channel(owner, channel.data_path)
        ]
        if wanted:
            _hold(rig, owner, wanted)


def _hold(rig: HeadRig, owner: Owner, channels: Sequence[Channel]) -> None:
    """Add channels to the rest action of a data-block, and the strip that plays it if there is none."""
    found = [strip.action for _, strip in _all_strips(owner) if is_rest(strip.action)]
    held = {channel for action in found for channel in _channels_in(present(action), owner)}
    missing = [channel for channel in channels if (channel.data_path, channel.index) not in held]
    if not missing:
        return
    # A linked head with a library override has the rest action of its library, to which nothing can be added.
    action = next((action for action in found if action is not None and action.library is None), None)
    is_new = action is None
    if action is None:
        action = bpy.data.actions.new(f"{REST} {rig.mesh.name} {owner.id_type.title()}")
        action[_REST_PROPERTY] = True
    slot = slot_for(action, owner)
    channelbag = action_channelbag(action, slot)
    for channel in missing:
        curve = channelbag.fcurves.new(channel.data_path, index=channel.index)
        curve.keyframe_points.insert(0.0, _rest_value(rig, owner, channel))
    if is_new:
        tracks = present_tracks(owner)
        first = next((track for track in tracks if _is_ours(track)), None)
        below = _track_before(tracks, first) if first else None
        if first is not None and first.is_override_data:
            below = first  # of the library, whose tracks stay below
        track = tracks.new(prev=below) if below else tracks.new()
        track.name = REST
        strip = track.strips.new(REST, 0, action)
        strip.action_slot = slot
        strip.blend_type = "REPLACE"
        strip.extrapolation = "HOLD"


def _channels_in(action: bpy.types.Action, owner: Owner) -> set[tuple[str, int]]:
    """Data path and index of what an action has curves of for a data-block of this kind."""
    channelbag = channelbag_of(action, owner.id_type)
    return set() if channelbag is None else {(curve.data_path, curve.array_index) for curve in channelbag.fcurves}


def _rest_value(rig: HeadRig, owner: Owner, channel: Channel) -> float:
    """The value that a channel is held at: for eyes and neck what is set by hand, unless the user has keyed it."""
    jaw = rig.bone("jaw")
    of_jaw = jaw is not None and channel.data_path.startswith(bone_path(jaw.name, ""))
    if isinstance(owner, bpy.types.Key) or of_jaw or "axis_angle" in channel.data_path:
        return channel.rest
    if any((curve.data_path, curve.array_index) == (channel.data_path, channel.index) for curve in slot_curves(owner)):
        return channel.rest
    if abs(channel.rest - _default(channel)) > _SAME:
        return channel.rest  # the offset of a character's table
    return float(owner.path_resolve(channel.data_path)[channel.index])


def _default(channel: Channel) -> float:
    """The value of a bone's property where nothing is set."""
    return float(
        channel.data_path.endswith("scale") or (channel.data_path.endswith("quaternion") and not channel.index)
    )


def rest_strip(owner: Owner) -> tuple[bpy.types.NlaTrack, bpy.types.NlaStrip] | None:
    """The strip that holds a data-block at rest, with its track."""
    for track, strip in _all_strips(owner):
        if is_rest(strip.action):
            return track, strip
    return None


def is_rest(action: bpy.types.Action | None) -> bool:
    """Whether an action is that of a rest track."""
    return action is not None and bool(action.get(_REST_PROPERTY))


def release_rest(rig: HeadRig) -> None:
    """Remove the rest tracks, and set what they held to what they held it at; for a head without takes."""
    for owner in owners_of(rig):
        if not players_beside(rig, owner):
            _release(owner)


def _release(owner: Owner) -> None:
    """Remove the rest track of a data-block, and set what it held to what it held it at."""
    found = rest_strip(owner)
    if found is None:
        return
    track, strip = found
    action = present(strip.action)
    channelbag = channelbag_of(action, owner.id_type)
    held = [] if channelbag is None else [(c.data_path, c.array_index, c.evaluate(0.0)) for c in channelbag.fcurves]
    track.strips.remove(strip)
    if not len(track.strips):
        present_tracks(owner).remove(track)
    if action.users == 0:
        bpy.data.actions.remove(action)
    for path, index, value in held:
        # A key that was held at the offset of a character's table goes back to 0 like the others.
        _set_value(owner, path, index, 0.0 if isinstance(owner, bpy.types.Key) else value)


def leave_former_parts(action: bpy.types.Action) -> None:
    """Remove a take's strips from meshes and armatures that are no longer part of a head with this take.

    The mapping of a character may have lost a mesh, or have another armature. Strips that the user placed stay.
    """
    heads = [item for item in bpy.data.objects if item.type == "MESH" and _has_take(item, action)]
    animated: list[Owner] = [*bpy.data.shape_keys, *(item for item in bpy.data.objects if item.type == "ARMATURE")]
    for owner in animated:
        placed = [(track, strip) for track, strip in strips_of(owner, action) if _is_ours(track)]
        if not placed or any(_is_part(head, owner) for head in heads):
            continue
        for track, strip in placed:
            if not track.is_override_data and strip in list(track.strips):
                track.strips.remove(strip)
                if not len(track.strips):
                    present_tracks(owner).remove(track)
        if all(track_kind(track) in (None, REST) for track in present_tracks(owner)):
            _release(owner)


def _set_value(owner: Owner, data_path: str, index: int, value: float) -> None:
    """Set an animated property, if the key or bone is still there."""
    holder_path, _, name = data_path.rpartition(".")
    try:
        holder = owner.path_resolve(holder_path)
    except ValueError:
        return
    if isinstance(getattr(holder, name), float):
        setattr(holder, name, value)
    else:
        getattr(holder, name)[index] = value


def _animated_below(owner: Owner) -> set[tuple[str, int]]:
    """Data path and index of what the user's tracks below those of the takes animate."""
    channels: set[tuple[str, int]] = set()
    for track in present_tracks(owner):
        if _is_ours(track):
            break
        for strip in track.strips:
            if strip.action is not None and strip.action_slot is not None and not strip.mute and not track.mute:
                curves = action_channelbag(strip.action, strip.action_slot).fcurves
                channels |= {(curve.data_path, curve.array_index) for curve in curves}
    return channels


def players_beside(rig: HeadRig, owner: Owner, action: bpy.types.Action | None = None) -> bool:
    """Whether another head shares this data-block and has a take with this action, or any take.

    A linked duplicate of a head shares its shape keys, a copy of the mesh alone its armature.
    """
    return any(
        other != rig.mesh and other.type == "MESH" and _has_take(other, action) and _is_part(other, owner)
        for other in bpy.data.objects
    )


def _has_take(head: bpy.types.Object, action: bpy.types.Action | None) -> bool:
    """Whether a head has a take with this action; with None, any take."""
    return any(action is None or take.action == action for take in head_settings(head).takes)


def _is_part(head: bpy.types.Object, owner: Owner) -> bool:
    """Whether a head's takes are played by a data-block."""
    if isinstance(owner, bpy.types.Key):
        return any(mesh_of(mesh).shape_keys == owner for mesh in (head, *further_meshes(head)))
    return armature_of_head(head) == owner or (head.parent == owner and not is_character(head))


# ---- tracks ----------------------------------------------------------------------------------------------------------


def _all_strips(owner: Owner) -> Iterator[tuple[bpy.types.NlaTrack, bpy.types.NlaStrip]]:
    if owner.animation_data is not None:
        for track in list(owner.animation_data.nla_tracks):
            for strip in list(track.strips):
                yield track, strip
                for inner in strip.strips:  # of a meta strip
                    yield track, inner


def _is_ours(track: bpy.types.NlaTrack) -> bool:
    return track_kind(track) is not None


def track_kind(track: bpy.types.NlaTrack) -> str | None:
    """IN_USE, ALTERNATES or REST, by the track's name without its number; None for the user's tracks."""
    name = track.name.rstrip("0123456789").rstrip(" .")
    return name if name in (IN_USE, ALTERNATES, REST) else None


def _free_track(owner: Owner, kind: str, span: Span) -> bpy.types.NlaTrack:
    """A track of this kind that has room for the span; a new one above the others of its kind if none has."""
    tracks = present_tracks(owner)
    end = span.start + span.length
    last, count = None, 0
    for track in tracks:
        found = track_kind(track)
        if found == kind:
            count += 1
            has_room = all(strip.frame_end <= span.start or strip.frame_start >= end for strip in track.strips)
            if has_room and not track.lock and not track.is_override_data:
                return track
        # Alternates lie above all that are in use.
        if found == kind or found is not None and kind == ALTERNATES or found == REST:
            last = track
    if last is None:
        first = next((track for track in tracks if _is_ours(track)), None)
        last = _track_before(tracks, first) if first else None
    new = tracks.new(prev=last) if last else tracks.new()
    new.name = kind if not count else f"{kind} {count + 1}"
    new.mute = kind == ALTERNATES
    return new


def _track_before(tracks: bpy.types.NlaTracks, track: bpy.types.NlaTrack) -> bpy.types.NlaTrack | None:
    index = list(tracks).index(track)
    return tracks[index - 1] if index else None


def _set_span(strip: bpy.types.NlaStrip, span: Span, scale: float = 1.0) -> None:
    """Set which frames of its action a strip plays, and where.

    A strip that is made before its slot is known has the length 1, and setting its frames one by one may change its
    scale; hence all of them are set.
    """
    # Blender keeps the start below the end at every step.
    if span.action_start >= strip.action_frame_end:
        strip.action_frame_end = max(span.action_end, span.action_start + 1.0)
        strip.action_frame_start = span.action_start
    else:
        strip.action_frame_start = span.action_start
        strip.action_frame_end = max(span.action_end, span.action_start + 1.0)
    strip.scale, strip.repeat = scale, 1.0
    # The plain names move the strip to where its neighbours leave room.
    strip.frame_start_raw = span.start
    strip.frame_end_raw = span.start + span.length * scale
    strip.scale = scale
