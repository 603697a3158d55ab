"""The table that says which signal of a motion moves which shape key or bone of a character."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

KEY = "KEY"
BONE_CHANNELS = tuple(f"{part}_{axis}" for part in ("LOCATION", "ROTATION", "SCALE") for axis in "XYZ")


@dataclass(frozen=True)
class MappingRow:
    """One signal that moves one target.

    Attributes:
        source: name of the signal (`signals.signals_of`), such as mouthSmileLeft or viseme_PP.
        target: name of the shape key, or of the bone.
        channel: KEY for a shape key; for a bone one of BONE_CHANNELS in its own axes: metres, radians, or for a scale
            what is added to 1.
        strength: factor on the signal.
        offset: what is added after it.
        low: least value that this row gives.
        high: greatest value that this row gives.
        enabled: whether the row counts.
    """

    source: str
    target: str
    channel: str = KEY
    strength: float = 1.0
    offset: float = 0.0
    low: float = 0.0
    high: float = 1.0
    enabled: bool = True


@dataclass(frozen=True)
class FaceMapping:
    """How signals move a character's shape keys and bones. Rows of one target add up.

    Attributes:
        rows: the table.
        name: what the user calls it.
    """

    rows: tuple[MappingRow, ...]
    name: str = ""

    def evaluate(self, signals: Mapping[str, np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
        """(T,) float32 value of each target by its name and channel; a signal that is not there counts as zero.

        Args:
            signals: (T,) values by name.
        """
        zeros = np.zeros_like(next(iter(signals.values())))
        values: dict[tuple[str, str], np.ndarray] = {}
        for row in self.rows:
            if row.enabled:
                given = row.strength * signals.get(row.source, zeros) + row.offset
                part = np.clip(given, row.low, row.high).astype(np.float32)
                target = row.target, row.channel
                values[target] = values[target] + part if target in values else part
        return values
