"""Requirements of inference: which libraries are missing, and why no speech model can run."""

from __future__ import annotations

import functools
from importlib.util import find_spec

from . import bundle

# Only looked up by name, never imported, before a model is used.
_LIBRARIES = ("onnxruntime",)


@functools.cache
def missing_libraries() -> tuple[str, ...]:
    """Names of the missing libraries that every speech model needs."""
    return tuple(name for name in _LIBRARIES if find_spec(name) is None)


def missing_sentence() -> str:
    """Why no speech model can run here and what to do; empty if one can."""
    if bundle.state().problem:
        return bundle.state().problem
    missing = missing_libraries()
    if not missing:
        return ""
    return (
        f"Speech models cannot run here: {', '.join(missing)} not installed. Install the add-on's zip for this system; "
        "motion files (Apply Motion File) work without"
    )
