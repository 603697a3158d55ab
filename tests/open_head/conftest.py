"""The head that ships, and names for what the tests look at."""

from dataclasses import dataclass

import numpy as np
import pytest

from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel

MIRROR = np.array([-1.0, 1, 1], np.float32)


@dataclass(frozen=True)
class PosableHead:
    """The open head, posed by component names; a name without Left or Right drives both sides."""

    model: FaceModel

    def pose(self, jaw: float = 0.0, **weights: float) -> np.ndarray:
        """(V, 3) vertices, metres, with the jaw open by `jaw` radians."""
        names = self.model.expression_names
        expression = np.zeros(len(names))
        for name, weight in weights.items():
            for each in [name] if name in names else [name + "Left", name + "Right"]:
                expression[names.index(each)] = weight
        return self.model.vertices(expression, [jaw, 0, 0])

    def region(self, name: str) -> np.ndarray:
        """(V,) bool: a region's vertices."""
        return self.model.regions[name] > 0.5


@pytest.fixture(scope="session")
def open_head() -> FaceModel:
    """The head that ships."""
    return FaceModel.load(find_head("open_head"))


@pytest.fixture(scope="session")
def head(open_head) -> PosableHead:
    """The head that ships, posed by names."""
    return PosableHead(open_head)
