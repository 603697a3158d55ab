"""What to do when a setting of a head, a take or a character has been changed in the panel.

The settings are defined before the code that acts on them, so that code is handed in: `takes` rewrites a take's
curves, `emotions` renders a take again. A property's `update` calls `changed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import bpy

from ..scene import changes

Kind = Literal["refine", "emotion", "place", "character"]
Listener = Callable[[bpy.types.Object, bpy.types.PropertyGroup], None]

_listeners: dict[Kind, list[Listener]] = {"refine": [], "emotion": [], "place": [], "character": []}
_held: list[Kind] = []


def listen(kind: Kind, listener: Listener) -> None:
    """Call `listener(head, settings)` after every change of this kind."""
    _listeners[kind].append(listener)


def stop_listening(kind: Kind, listener: Listener) -> None:
    """Undo `listen`."""
    _listeners[kind].remove(listener)


@contextmanager
def together(kind: Kind, head: bpy.types.Object, settings: bpy.types.PropertyGroup) -> Iterator[None]:
    """Call the listeners of all changes in the block once, at its end, with these settings."""
    _held.append(kind)
    try:
        yield
    finally:
        _held.remove(kind)
    _call_listeners(kind, head, settings)


def changed(kind: Kind) -> Callable[[bpy.types.PropertyGroup, bpy.types.Context], None]:
    """An `update` function for a property of this kind."""

    def update(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
        changes.note()
        head = settings.id_data
        if isinstance(head, bpy.types.Object):
            _call_listeners(kind, head, settings)

    return update


def is_held(kind: Kind) -> bool:
    """Whether changes of this kind are collected by `together` now, as they are when code makes them."""
    return kind in _held


def _call_listeners(kind: Kind, head: bpy.types.Object, settings: bpy.types.PropertyGroup) -> None:
    if kind not in _held:
        for listener in list(_listeners[kind]):
            listener(head, settings)
