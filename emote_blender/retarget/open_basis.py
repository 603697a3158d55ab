"""The open basis: the components of the open head, in which characters take their motions."""

from __future__ import annotations

from .signals import ARKIT_NAMES

OPEN_BASIS = "open_head"
_JAW_ROTATES = ("jawOpen", "jawLeft", "jawRight")

OPEN_NAMES = (*(name for name in ARKIT_NAMES if name not in _JAW_ROTATES), "tongueUp")
"""Names of the open head's components; the jaw's opening and turn are rotations beside them."""
