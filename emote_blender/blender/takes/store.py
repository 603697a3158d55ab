"""What a take's action keeps: the raw motion, and a copy of the take's settings, so that it can be moved alone."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import bpy

from ...errors import InputError
from ...motion_tools.raw_take import RawTake
from ..settings.take_settings import EMOTE_PG_take

RAW_PROPERTY = "emote_take"  # versions 0.1 and 0.2 kept one motion here, in the format of a motion file
SETTINGS_PROPERTY = "emote_take_settings"
ORIGIN_PROPERTY = "emote_origin"  # frame of the action at which the motion's first frame lies
_OLD_PLACE_PROPERTY = "emote_take_place"
_LARGEST = 1e9  # of a number in settings: more frames and seconds than Blender has
_NOT_KEPT = {"rna_type", "name", "action", "scene"}


def is_take(action: bpy.types.Action | None) -> bool:
    """Whether an action keeps a raw motion."""
    return action is not None and action.get(RAW_PROPERTY) is not None


def keep_raw(action: bpy.types.Action, raw: RawTake) -> RawTake:
    """Store a raw take on an action, and return it as it will be read: rounded to float16."""
    content = raw.to_bytes()
    # Blender (4.5 to 5.2) cuts bytes at their first zero where they take the place of others.
    action.pop(RAW_PROPERTY, None)
    action[RAW_PROPERTY] = content
    return _decoded(content)


def kept_raw(action: bpy.types.Action) -> RawTake:
    """The raw take of an action; raises InputError if it has none or it is damaged."""
    if not is_take(action):
        raise InputError(f"action {action.name!r} holds no take of EMOTE; choose one that it generated")
    content = action[RAW_PROPERTY]
    if not isinstance(content, bytes):
        raise InputError(f"the motion in action {action.name!r} is damaged; generate the take again")
    try:
        return _decoded(content)
    except InputError as error:
        raise InputError(
            f"the motion in action {action.name!r} is damaged ({error}); generate the take again"
        ) from error


def raw_size(action: bpy.types.Action) -> int:
    """Bytes that the raw take occupies in the file."""
    content = action.get(RAW_PROPERTY)
    return len(content) if isinstance(content, bytes) else 0


@lru_cache(maxsize=8)
def _decoded(content: bytes) -> RawTake:
    """The raw take in these bytes; sliders ask for it many times a second."""
    return RawTake.from_bytes(content)


def remove_if_unused(action: bpy.types.Action) -> None:
    """Delete a take's action unless something else than its fake user uses it, or it is an asset."""
    if (
        is_take(action)
        and action.library is None
        and action.asset_data is None
        and action.users <= action.use_fake_user
    ):
        bpy.data.actions.remove(action)


def origin_of(action: bpy.types.Action, take: EMOTE_PG_take) -> float:
    """The frame of an action at which the motion's first frame lies."""
    origin = action.get(ORIGIN_PROPERTY)
    return float(origin) if isinstance(origin, int | float) else take.frame_start


def keep_settings(take: bpy.types.PropertyGroup, action: bpy.types.Action) -> None:
    """Store a copy of a take's settings on its action."""
    action[SETTINGS_PROPERTY] = json.dumps(plain_settings(take), ensure_ascii=False)


def kept_settings(action: bpy.types.Action) -> dict[str, Any]:
    """The settings that `keep_settings` stored; those that an older version stored; empty if there are none."""
    for name in (SETTINGS_PROPERTY, _OLD_PLACE_PROPERTY):
        try:
            stored = json.loads(str(action.get(name, "")))
        except ValueError:
            continue
        if isinstance(stored, dict):
            return stored
    return {}


def apply_settings(take: bpy.types.PropertyGroup, stored: dict[str, Any]) -> None:
    """Set a take's settings from stored ones; names and values that do not fit are left out.

    Every value calls the listeners of sliders: set the action afterwards, or inside `live.together`.
    """
    for name, value in stored.items():
        prop = take.bl_rna.properties.get(name)
        if prop is None or name in _NOT_KEPT or prop.is_readonly and prop.type != "POINTER":
            continue
        current = getattr(take, name)
        if isinstance(current, bpy.types.PropertyGroup):
            if isinstance(value, dict):
                apply_settings(current, value)
        elif prop.type == "ENUM":
            if value in prop.enum_items.keys():
                setattr(take, name, value)
        elif isinstance(current, float) and isinstance(value, int | float):
            if abs(value) < _LARGEST:  # not for NaN either
                setattr(take, name, value)
        elif type(value) is type(current):
            setattr(take, name, value)


def plain_settings(group: bpy.types.PropertyGroup) -> dict[str, Any]:
    """The values of a group that JSON can hold; data-blocks that it points at are left out."""
    values: dict[str, Any] = {}
    for prop in group.bl_rna.properties:
        if prop.identifier in _NOT_KEPT:
            continue
        value = getattr(group, prop.identifier)
        if isinstance(value, bpy.types.PropertyGroup):
            values[prop.identifier] = plain_settings(value)
        elif isinstance(value, bool | int | float | str):
            values[prop.identifier] = value
    return values
