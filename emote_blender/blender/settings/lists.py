"""Changes of the lists in a head's settings that library overrides keep.

Blender (4.5 to 5.2) tells the items that an override adds by their names: of items without, it keeps two. It removes no
item that comes from the library.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4


def added(collection: Any) -> Any:
    """A new item at the end of a list, with a name that no other one has."""
    item = collection.add()
    item.name = uuid4().hex  # found without a look at the other names, of which there may be 10,000
    return item


def emptied(collection: Any, number: int) -> list[Any]:
    """The items of a list that was cleared and is to hold so many new ones; more, if some cannot be removed."""
    collection.clear()
    while len(collection) < number:
        added(collection)
    return list(collection)


def taken_out(collection: Any, index: int) -> bool:
    """Remove an item of a list, and return whether Blender did so."""
    try:
        collection.remove(index)
    except TypeError:  # what Blender raises for an item of the library
        return False
    return True
