"""A small picture of an emotion or a mix: the open head with the face that the emotion adds to the neutral one.

`draw` must not compute, so it shows the last picture and asks for the next one, which a timer makes.
"""

from __future__ import annotations

import functools
from typing import Any

import bpy
import bpy.utils.previews
import numpy as np

from ...emotion import EMOTIONS
from ...errors import EmoteError
from ...files.paths import DEFAULT_HEAD, find_head
from ...flame.model import FaceModel
from ...flame.portrait import portrait
from ...motion_tools.emotion_timeline import visible_strength
from ..jobs.job_operator import redraw_panels
from ..scene.emotion_track import chosen_weights
from ..settings.head_settings import EMOTE_PG_head

SIZE = 64  # pixels
_MOST_PICTURES = 64
_WEIGHT_STEP, _AMOUNT_STEP = 0.05, 0.1  # a picture serves what differs less
_LOUDEST = 1.4  # visible strength at which features still look like a face when several are added

# Mean of what the open model adds to its neutral face at intensity 1, over the line tests/data/anger_line.wav;
# components below 0.08 are left out. A name without a side stands for both.
_FACES = {
    "happy": (
        "mouthSmile 0.44 mouthFrown -0.18 mouthDimple 0.08 mouthStretch 0.09 mouthUpperUp 0.09 browInnerUp "
        "0.15 browOuterUp 0.2 cheekSquint 0.64"
    ),
    "sad": (
        "eyeBlink 0.16 eyeLookDown 0.17 mouthSmile -0.14 mouthFrown 0.52 mouthStretch 0.16 mouthShrugLower "
        "0.19 browDown 0.27 browInnerUp 0.84 browOuterUp -0.09 cheekSquint 0.14"
    ),
    "surprise": "eyeWide 0.56 browInnerUp 0.69 browOuterUp 0.71 cheekSquint -0.09",
    "fear": (
        "eyeSquint -0.1 eyeWide 0.46 mouthFrown 0.33 mouthStretch 0.35 mouthLowerDown 0.1 browDown 0.45 browInnerUp 0.8"
    ),
    "disgust": (
        "eyeSquint 0.22 eyeWide -0.1 mouthFrown 0.32 mouthShrugLower 0.15 mouthUpperUp 0.23 browDown 0.5 "
        "browInnerUp -0.1 cheekSquint 0.53 noseSneer 0.72"
    ),
    "anger": (
        "eyeWide 0.26 jawForward 0.32 mouthFrown 0.32 mouthStretch 0.14 mouthShrugUpper -0.08 mouthPress 0.11 "
        "mouthLowerDown 0.09 browDown 0.86 browInnerUp -0.09 noseSneer 0.44"
    ),
    "contempt": (
        "eyeBlink 0.17 eyeWideRight -0.09 mouthSmileLeft 0.32 mouthDimpleLeft 0.43 mouthStretchLeft 0.14 "
        "mouthRollUpper -0.09 mouthPress 0.11 browDownRight 0.33 browInnerUp -0.09 browOuterUpLeft 0.55 "
        "browOuterUpRight -0.09 cheekSquintLeft 0.31"
    ),
}

_previews: Any = None
_shown = 0  # the icon of the last picture
_wanted: tuple[int, ...] | None = None


def mix_icon(settings: EMOTE_PG_head) -> int:
    """The icon of a head's chosen emotion and amount, for `template_icon`; 0 until there is one."""
    global _shown, _wanted
    if _previews is None:
        return 0
    key = _key(chosen_weights(settings), settings.amount)
    if str(key) in _previews:
        _shown = _previews[str(key)].icon_id
    elif not bpy.app.background:
        _wanted = key
        if not bpy.app.timers.is_registered(_make_wanted):
            bpy.app.timers.register(_make_wanted, first_interval=0.1)
    return _shown


def make_picture(key: tuple[int, ...]) -> int:
    """The icon of a picture, made if there is none yet; raises EmoteError if the head that ships cannot be read."""
    if str(key) in _previews:
        return _previews[str(key)].icon_id
    if len(_previews) >= _MOST_PICTURES:
        _previews.clear()
    pixels = portrait(*_posed(key), SIZE)
    preview = _previews.new(str(key))
    preview.icon_size = preview.image_size = (SIZE, SIZE)
    preview.icon_pixels_float.foreach_set(pixels.ravel())
    preview.image_pixels_float.foreach_set(pixels.ravel())
    return preview.icon_id


def _make_wanted() -> None:
    """Make the picture that the panel asked for last, and show it; for a timer."""
    global _wanted
    key, _wanted = _wanted, None
    if key is None or _previews is None:
        return
    try:
        make_picture(key)
    except EmoteError:
        return  # the panel says elsewhere that the head is damaged
    redraw_panels(bpy.context)


def _key(weights: np.ndarray, amount: float) -> tuple[int, ...]:
    return (*np.round(weights / _WEIGHT_STEP).astype(int).tolist(), round(amount / _AMOUNT_STEP))


def _posed(key: tuple[int, ...]) -> tuple[FaceModel, np.ndarray]:
    """The open head, and its vertices (V, 3) with this emotion."""
    model, faces = _open_head()
    weights = np.array(key[:-1], dtype=np.float64)
    strength = min(visible_strength(key[-1] * _AMOUNT_STEP), _LOUDEST)
    expression = strength * (weights / max(weights.sum(), 1.0)) @ faces
    return model, model.v_template + model.shapedirs[..., model.num_shape :] @ expression.astype(np.float32)


def face_of(emotion: str) -> dict[str, float]:
    """What an emotion other than neutral adds to the face: component, or pair of components, and its coefficient."""
    words = _FACES[emotion].split()
    return dict(zip(words[::2], map(float, words[1::2]), strict=True))


@functools.cache
def _open_head() -> tuple[FaceModel, np.ndarray]:
    """The head that ships, and the expression (8, E) of each emotion."""
    model = FaceModel.load(find_head(DEFAULT_HEAD))
    names = model.expression_names or ()
    faces = np.zeros((len(EMOTIONS), len(names)))
    for emotion in _FACES:
        for name, weight in face_of(emotion).items():
            for side in ("", "Left", "Right"):
                if name + side in names:
                    faces[EMOTIONS.index(emotion), names.index(name + side)] = weight
    return model, faces


def start() -> None:
    """Make room for pictures."""
    global _previews
    _previews = bpy.utils.previews.new()


def stop() -> None:
    """Undo `start`."""
    global _previews, _shown, _wanted
    if bpy.app.timers.is_registered(_make_wanted):
        bpy.app.timers.unregister(_make_wanted)
    bpy.utils.previews.remove(_previews)
    _previews, _shown, _wanted = None, 0, None
    _open_head.cache_clear()
