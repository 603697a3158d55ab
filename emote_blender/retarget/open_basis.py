"""The open basis: the components of the open head, in which characters take their motions."""

from __future__ import annotations

from .signals import ARKIT_NAMES, JAW_NAMES, OPEN_BASIS

__all__ = ["OPEN_BASIS", "OPEN_NAMES"]

OPEN_NAMES = (*(name for name in ARKIT_NAMES if name not in JAW_NAMES), "tongueUp")
"""Names of the open head's components; the jaw's opening and turn are rotations beside them."""
