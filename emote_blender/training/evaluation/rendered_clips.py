"""Videos of rendered people whose expressions are known, under various conditions, for the table of video capture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...capture.video.fit.camera import Camera
from ...flame.model import FaceModel
from ...motion import FaceMotion
from ..corpus.motion.articulation import tracks
from ..corpus.motion.emotion_styles import EXPRESSION_NAMES, face
from ..open_model.expression_prior import random_speech
from ..open_model.landmark_embedding import DISTANCE, PICTURE_PIXELS, VIEW_DEGREES, pose_in_front, render
from ..rendering.shading import lamps_light

FPS = 25.0


@dataclass(frozen=True)
class Performance:
    """Somebody who speaks.

    Attributes:
        emotion: with which emotion.
        speaker: in whose style.
        identity: seed of the person's shape, and of what is spoken; None for the mean face, which speaks as seed 0.
    """

    emotion: str
    speaker: str
    identity: int | None

    @property
    def label(self) -> str:
        """What the table calls it."""
        return f"{self.emotion}, {'mean face' if self.identity is None else f'person {self.identity}'}"

    def shape(self, model: FaceModel) -> np.ndarray:
        """(S,) identity coefficients."""
        if self.identity is None:
            return np.zeros(model.num_shape)
        return np.random.default_rng(self.identity).uniform(-1, 1, model.num_shape)


PERFORMANCES = (
    Performance("happy", "broad", None),
    Performance("anger", "lively", 2),
    Performance("neutral", "even", 3),
    Performance("sad", "reserved", 4),
)


@dataclass(frozen=True)
class Filming:
    """How a performance is filmed.

    Attributes:
        shrunk: the pictures are made smaller by this factor.
        view_degrees: angle of view; the camera stands where the face has the usual size.
        yaw_degrees: turn of the head about which it moves.
        light: share of the light.
        side_lamp: whether one lamp from the side is all the light.
        noise: standard deviation of the camera's noise, of 255.
    """

    shrunk: float = 1.0
    view_degrees: float = VIEW_DEGREES
    yaw_degrees: float = 0.0
    light: float = 1.0
    side_lamp: bool = False
    noise: float = 0.0

    @property
    def size(self) -> int:
        """Width and height of the pictures, pixels."""
        return round(PICTURE_PIXELS / self.shrunk)

    def camera(self) -> Camera:
        """The camera."""
        return Camera.of_picture((self.size, self.size), self.view_degrees)


USUAL = Filming()


@dataclass(frozen=True, eq=False)
class Clip:
    """A rendered clip and the truth behind it.

    Attributes:
        motion: expression and jaw.
        rotation: (T, 3) of the head, axis-angle, radians.
        pictures: (T, h, w, 3) uint8.
    """

    motion: FaceMotion
    rotation: np.ndarray
    pictures: np.ndarray


def performed_motion(model: FaceModel, performance: Performance, num_frames: int) -> FaceMotion:
    """Speech by the rules of the corpus, with blinks, raised brows and a gaze that wanders."""
    random = np.random.default_rng(performance.identity or 0)
    if performance.identity is not None:
        random.uniform(-1, 1, model.num_shape)  # as `Performance.shape` did
    phones, loudness = random_speech(random)
    expression, jaw = face(tracks(phones, len(loudness)), loudness, performance.emotion, 1.0, performance.speaker)
    names = list(model.expression_names or ())
    expression = expression[:num_frames, [EXPRESSION_NAMES.index(name) for name in names]].clip(0.0, 1.0)
    column = {name: number for number, name in enumerate(names)}
    seconds = np.arange(num_frames) / FPS
    blink = np.clip(1.2 - 8.0 * np.abs((seconds % 1.3) - 0.7), 0.0, 1.0)
    across, up = 0.6 * np.sin(2 * np.pi * seconds / 2.3), 0.4 * np.sin(2 * np.pi * seconds / 1.7 + 1)
    added = {"eyeBlinkLeft": blink, "eyeBlinkRight": blink, "eyeLookOutLeft": across, "eyeLookInRight": across}
    added |= {"eyeLookInLeft": -across, "eyeLookOutRight": -across}
    for side in ("Left", "Right"):
        added |= {f"eyeLookUp{side}": up, f"eyeLookDown{side}": -up}
    raised = 0.7 * np.exp(-(((seconds % 2.0 - 1.5) / 0.25) ** 2))
    added |= dict.fromkeys(("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), raised)
    for name, values in added.items():
        own = 0.0 if name.startswith("eyeLook") else expression[:, column[name]]
        expression[:, column[name]] = np.clip(np.maximum(values, 0.0) + own, 0.0, 1.0)
    return FaceMotion(expression, jaw[:num_frames], FPS, meta={"face": model.basis, "expression_names": names})


def filmed(model: FaceModel, motion: FaceMotion, shape: np.ndarray, filming: Filming = USUAL) -> Clip:
    """A person of a shape (S,) who moves like this and turns the head meanwhile."""
    seconds = np.arange(motion.num_frames) / FPS
    waves = [6 * np.sin(2 * np.pi * seconds / 1.9), 14 * np.sin(2 * np.pi * seconds / 2.7 + 0.5) + filming.yaw_degrees]
    rotation = np.radians(np.stack([*waves, 4 * np.sin(2 * np.pi * seconds / 2.1 + 1)], axis=1))
    shift = np.stack([0.012 * np.sin(2.9 * seconds), 0.008 * np.sin(3.9 * seconds), 0.015 * np.sin(2.1 * seconds)], 1)
    return Clip(motion, rotation, pictures_of(model, motion, shape, rotation, shift, filming))


def pictures_of(
    model: FaceModel,
    motion: FaceMotion,
    shape: np.ndarray,
    rotation: np.ndarray,
    shift: np.ndarray | float = 0.0,
    filming: Filming = USUAL,
) -> np.ndarray:
    """(T, h, w, 3) uint8 pictures of a person.

    Args:
        model: the head.
        motion: of T frames.
        shape: (S,) identity.
        rotation: (T, 3) of the head, axis-angle, radians.
        shift: (T, 3) from the usual place, metres.
        filming: how it is filmed.
    """
    vertices = model.vertices(motion.expression, motion.jaw, shape).astype(np.float64)
    whole = Camera.of_picture((PICTURE_PIXELS, PICTURE_PIXELS), filming.view_degrees)
    usual = Camera.of_picture((PICTURE_PIXELS, PICTURE_PIXELS), VIEW_DEGREES)
    nearer = np.array([0.0, 0.0, DISTANCE * (1.0 - whole.focal / usual.focal)])
    pose = pose_in_front(model, rotation, shift + nearer)
    light = lamps_light(0.12, (((0.95, 0.1, 0.3), 0.75),)) if filming.side_lamp else None
    pictures = render(model, vertices, pose, whole, PICTURE_PIXELS, light)
    if filming.shrunk != 1.0:
        pictures = np.stack([shrunk(picture, filming.size) for picture in pictures])
    if filming.light != 1.0 or filming.noise:
        noise = np.random.default_rng(9).normal(0.0, filming.noise or 1e-9, pictures.shape).astype(np.float32)
        pictures = np.clip(pictures * np.float32(filming.light) + noise + 0.5, 0, 255).astype(np.uint8)
    return pictures


def shrunk(picture: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) uint8, each pixel the mean of the part of a picture (H, H, 3) that it covers."""
    edges = np.linspace(0, len(picture), size + 1)
    covered = np.clip(
        np.minimum(edges[1:, None], np.arange(1, len(picture) + 1))
        - np.maximum(edges[:-1, None], np.arange(len(picture))),
        0,
        None,
    )  # (size, H)
    share = covered / covered.sum(1, keepdims=True)
    return np.clip(np.einsum("yh,hwc,xw->yxc", share, picture, share, optimize=True) + 0.5, 0, 255).astype(np.uint8)
