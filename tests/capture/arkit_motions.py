"""What tests look at of a motion with the shapes of ARKit."""

from pathlib import Path

import numpy as np

from emote_blender.capture.motion_files import save_motion
from emote_blender.motion import FaceMotion
from emote_blender.retarget.signals import signals_of
from tests.live_link import SHAPES


def write(motion: FaceMotion, folder: Path, **options) -> str:
    """The text of a motion that is saved as CSV."""
    save_motion(motion, folder / "written.csv", **options)
    return (folder / "written.csv").read_text(encoding="ascii")


def values_of(motion: FaceMotion) -> np.ndarray:
    """(T, 52) the shapes of a motion in the order of a file."""
    signals = signals_of(motion)
    return np.stack([signals[name[0].lower() + name[1:]] for name in SHAPES], axis=1)
