"""Texts such as "jaw_strength=1.2, asymmetry=-0.5": numbers by name, each within its range."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from ..errors import InputError

# A comma before digits alone is a decimal comma.
_SEPARATOR = re.compile(r"[;,](?!\s*\d+\s*(?:[;,]|$))")


def named_numbers(text: str, ranges: Mapping[str, tuple[float, float]], what: str, kind: str) -> dict[str, float]:
    """The numbers by name; those that the text leaves out are left out.

    Semicolons may separate them, too, and a value may have a decimal comma.

    Args:
        text: the text.
        ranges: least and greatest value by name.
        what: what the text describes, as sentences begin: "refinement".
        kind: what a name stands for: "parameter".

    Raises:
        InputError: if a name is unknown, there twice, or its value is no number or out of its range.
    """
    values: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in _SEPARATOR.split(text))):
        name, _, number = (word.strip() for word in part.partition("="))
        if name not in ranges:
            raise InputError(f"{what} has no {kind} {name!r}; choose one of {', '.join(ranges)}")
        if name in values:
            raise InputError(f"{what}: {name} is given twice; leave one of them out")
        low, high = ranges[name]
        try:
            values[name] = float(number.replace(",", "."))
        except ValueError:
            values[name] = math.nan
        if not low <= values[name] <= high:
            raise InputError(f"{what}: {name} must be a number from {low:g} to {high:g}, found {number!r}")
    return values
