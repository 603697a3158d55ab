"""Takes as assets: a library of motions. The action of a take keeps its raw motion, whatever head it was made on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...emotion import EMOTIONS
from ...errors import InputError
from ...files.paths import DEFAULT_HEAD, find_head
from ...motion import FaceMotion
from ...retarget.signals import JAW_OPEN_RADIANS
from ..head.asset_catalog import put_into_catalog, read_picture, set_preview
from ..head.emotion_poses import POSES_FOLDER
from ..narrow import present
from ..settings.live import together
from ..settings.take_settings import EMOTE_PG_take
from .make import Line, new_take
from .store import apply_settings, is_take, keep_settings, kept_raw, kept_settings

TAKE_TAG = "EMOTE take"
"""Tag of assets that are takes, by which the Asset Browser's menu knows them."""
_SIZE = 256  # pixels of a preview
_CURVE_HEIGHT = 80  # pixels of the mouth's opening in it
_CURVE_COLOUR = np.array([1.0, 0.55, 0.2, 1.0], np.float32)
_BAND_COLOUR = np.array([0.08, 0.08, 0.08, 1.0], np.float32)


def mark_take(take: EMOTE_PG_take) -> bpy.types.Action:
    """Mark a take's action as an asset in the catalog EMOTE, with a picture, and return it.

    Raises:
        InputError: if the action is gone, damaged, or linked from another file.
    """
    action = take.action
    if action is None:
        raise InputError(f"the action of take {take.name!r} was deleted; remove the take and generate it again")
    if action.library is not None:
        raise InputError(f"action {action.name!r} is linked from {action.library.filepath}; mark it there")
    motion = kept_raw(action).emotional
    keep_settings(take, action)
    if action.asset_data is None:
        action.asset_mark()
    asset = present(action.asset_data)
    seconds = f"{take.duration_seconds:.1f} s"
    asset.description = ", ".join(filter(None, (take.line, take.emotion, seconds)))
    for tag in ("EMOTE", TAKE_TAG, *filter(None, [take.emotion])):
        asset.tags.new(tag, skip_if_exists=True)
    put_into_catalog([action])
    set_preview(action, _picture(motion))
    return action


def apply_take(
    head: bpy.types.Object, action: bpy.types.Action, scene: bpy.types.Scene, frame_start: float
) -> EMOTE_PG_take:
    """A new take of a head from the motion and the settings that an action keeps; the action stays as it is.

    Keys that were edited by hand belong to the head on which they were edited, and are left out.

    Args:
        head: mesh object of the head.
        action: an action with a take.
        scene: the scene whose frame rate is used.
        frame_start: scene frame of the motion's first frame.

    Raises:
        InputError: if the action holds no take, or the head cannot be animated.
        ModelError: if the motion is made for another face.
    """
    raw, stored = kept_raw(action), kept_settings(action)
    line = str(stored.get("line") or raw.emotional.meta.get("audio") or action.name)
    take = new_take(head, raw, scene, Line(line, frame_start))
    with together("refine", head, take):
        for group in ("refine", "alive"):
            if isinstance(stored.get(group), dict):
                apply_settings(getattr(take, group), stored[group])
    return take


@contextmanager
def action_in_file(path: str, name: str) -> Iterator[bpy.types.Action]:
    """An action of another .blend, appended while the block runs.

    Args:
        path: the .blend.
        name: name of the action; "" if it has only one take marked as an asset.

    Raises:
        InputError: if the file cannot be read, or has no such action.
    """
    label = Path(path).name
    before = {item.session_uid for item in (*bpy.data.actions, *bpy.data.libraries)}
    libraries: Any = bpy.data.libraries  # the stubs know no context manager
    try:
        with libraries.load(path, link=False, assets_only=not name) as (there, here):
            names = list(there.actions)
            if name and name not in names:
                listed = ", ".join(map(repr, names[:5])) or "none"
                raise InputError(f"{label} has no action {name!r}; its actions are {listed}")
            here.actions = [name] if name else names
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}); choose a .blend with takes") from error
    actions = [action for action in here.actions if isinstance(action, bpy.types.Action)]
    try:
        takes = [action for action in actions if is_take(action)]
        if not takes:
            what = f"action {name!r} of {label} holds no take" if name else f"{label} has no take marked as an asset"
            raise InputError(f"{what}; mark a take there with Mark as Asset")
        if len(takes) > 1:
            raise InputError(
                f"{label} has {len(takes)} takes; name one of {', '.join(action.name for action in takes)}"
            )
        takes[0].name = f"{takes[0].name} (library)"  # the name is for the take
        yield takes[0]
    finally:
        bpy.data.batch_remove([item for item in (*actions, *bpy.data.libraries) if item.session_uid not in before])


def _picture(motion: FaceMotion) -> np.ndarray:
    """(H, W, 4) the face of the motion's emotion, and below it how far the mouth opens over time."""
    pixels = np.zeros((_SIZE, _SIZE, 4), np.float32)
    emotion = str(motion.meta.get("emotion") or "neutral").lower()
    path = find_head(DEFAULT_HEAD) / POSES_FOLDER / f"{emotion if emotion in EMOTIONS else 'neutral'}.png"
    if path.is_file():
        face = read_picture(path)
        rows, columns = (np.arange(_SIZE) * size // _SIZE for size in face.shape[:2])
        pixels = face[rows][:, columns]
    opening = np.clip(np.abs(motion.jaw[:, 0]) / JAW_OPEN_RADIANS, 0.0, 1.0)
    bars = np.array([part.max() for part in np.array_split(opening, _SIZE) if len(part)])
    heights = (bars[np.arange(_SIZE) * len(bars) // _SIZE] / max(float(bars.max()), 0.1)) * (_CURVE_HEIGHT - 8)
    pixels[:_CURVE_HEIGHT] = 0.25 * pixels[:_CURVE_HEIGHT] + 0.75 * _BAND_COLOUR
    pixels[np.arange(_SIZE)[:, None] < heights] = _CURVE_COLOUR
    return pixels
