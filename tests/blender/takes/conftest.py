"""A library with a head."""

from pathlib import Path

import pytest
from linked_library import save_library


@pytest.fixture
def library(scene, face, tmp_path) -> Path:
    """A .blend whose collection Cast holds a head (`Head`, `Head Rig`); the open file is an empty one."""
    return save_library(tmp_path / "cast.blend", face)
