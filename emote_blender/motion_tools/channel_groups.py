"""The part of the face that a channel belongs to: the groups in which an animator finds its curves."""

from __future__ import annotations

OTHER_GROUP = "Expression"
_GROUP_OF_START = {
    "jaw": "Jaw",
    "mouth": "Lips",
    "lip": "Lips",
    "viseme": "Lips",
    "cheek": "Cheeks and Nose",
    "nose": "Cheeks and Nose",
    "brow": "Brows",
    "eye": "Eyes",
    "blink": "Eyes",
    "lid": "Eyes",
    "left_eye": "Eyes",
    "right_eye": "Eyes",
    "tongue": "Tongue",
    "neck": "Neck",
    "head": "Neck",
}


def channel_group(name: str | None) -> str:
    """The group of an expression component or a bone, by the start of its name as in ARKit.

    Args:
        name: the component's or bone's name; None for a component that has only a number.

    A component whose name says nothing of the face, such as a principal component, belongs to `OTHER_GROUP`.
    """
    lowered = (name or "").lower()
    return next((group for start, group in _GROUP_OF_START.items() if lowered.startswith(start)), OTHER_GROUP)
