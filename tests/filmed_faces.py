"""Clips of the open head as a perfect landmarker would track them: landmarks in pixels, and what they were made of."""

from dataclasses import dataclass

import numpy as np
from spoken_motions import open_motion

from emote_blender.capture.video.embedding import embedding_of
from emote_blender.capture.video.fit.camera import Camera, HeadPose
from emote_blender.flame.model import FaceModel
from emote_blender.motion_tools.rotation import axis_angle_to_matrix

SIZE = (480, 480)
DISTANCE = 0.7


@dataclass(frozen=True, eq=False)
class Filmed:
    """A clip, and the truth behind it.

    Attributes:
        times: (T,) seconds.
        points: (T, 478, 3) landmarks, pixels.
        expression: (T, E) the open head's components.
        jaw: (T, 3) axis-angle, radians.
        rotation: (T, 3) of the head, axis-angle, radians.
        shape: (S,) identity.
        camera: the camera.
    """

    times: np.ndarray
    points: np.ndarray
    expression: np.ndarray
    jaw: np.ndarray
    rotation: np.ndarray
    shape: np.ndarray
    camera: Camera


def film(
    head: FaceModel,
    num_frames: int = 75,
    identity: int | None = None,
    noise: float = 0.0,
    yaw_degrees: float = 0.0,
    fps: float = 25.0,
    view_degrees: float = 50.0,
    num_neutral: int = 0,
) -> Filmed:
    """A face that speaks, blinks, looks about and moves its head.

    Args:
        head: the open head.
        num_frames: of the clip.
        identity: seed of the person's shape; None for the mean face.
        noise: standard deviation of the landmarks, pixels, of which the face is about 130 wide.
        yaw_degrees: turn of the head about which it moves.
        fps: frames per second.
        view_degrees: angle of view of the camera.
        num_neutral: frames at the start in which the face is neutral.
    """
    motion = open_motion(head, num_frames)
    names = list(head.expression_names)
    time = np.arange(num_frames) / 25.0
    expression = np.clip(motion.expression, 0.0, 1.0)
    blink = np.clip(1.2 - 8.0 * np.abs((time % 1.2) - 0.7), 0.0, 1.0)
    across, up = 0.6 * np.sin(2 * np.pi * time / 2.3), 0.4 * np.sin(2 * np.pi * time / 1.7 + 1)
    for name, value in {
        "eyeBlinkLeft": blink,
        "eyeBlinkRight": blink,
        "eyeLookOutLeft": across,
        "eyeLookInRight": across,
        "eyeLookInLeft": -across,
        "eyeLookOutRight": -across,
        "eyeLookUpLeft": up,
        "eyeLookUpRight": up,
        "eyeLookDownLeft": -up,
        "eyeLookDownRight": -up,
    }.items():
        expression[:, names.index(name)] = np.maximum(value, 0.0)
    jaw = motion.jaw.copy()
    expression[:num_neutral], jaw[:num_neutral] = 0.0, 0.0
    pitch, yaw, roll = 5 * np.sin(2 * np.pi * time / 1.9), 8 * np.sin(2 * np.pi * time / 2.7), 3 * np.sin(3 * time)
    rotation = np.radians(np.stack([pitch, yaw + yaw_degrees, roll], axis=1))
    shape = np.zeros(head.num_shape, np.float32)
    if identity is not None:
        shape = np.random.default_rng(identity).uniform(-1, 1, head.num_shape).astype(np.float32)
    vertices = head.vertices(expression, jaw, shape).astype(np.float64)
    embedding = embedding_of(head)
    landmarks = np.einsum("lk,tlkc->tlc", embedding.barycentrics, vertices[:, head.faces[embedding.faces]])
    turn = axis_angle_to_matrix(rotation)
    middle = np.array([0.0, 0.0, 0.06])
    shift = 0.01 * np.stack([np.sin(time), np.cos(2 * time), np.sin(1.5 * time)], axis=1)
    pose = HeadPose(turn, np.array([0.0, 0.0, -DISTANCE]) - turn @ middle + shift)
    camera = Camera.of_picture(SIZE, view_degrees)
    pixels = camera.pixels(pose.of(landmarks + embedding.offsets))
    pixels = pixels + np.random.default_rng(5).normal(0.0, 1.0, pixels.shape) * noise
    points = np.concatenate([pixels, np.zeros((*pixels.shape[:2], 1))], axis=2)
    return Filmed(np.arange(num_frames) / fps, points, expression, jaw, rotation, shape, camera)
