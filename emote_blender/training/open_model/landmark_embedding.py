"""Measure where the landmarks of the face mesh lie on the open head.

The command is `python -m emote_blender.training.open_model.landmark_embedding`. The neutral head is rendered from
several sides with a known camera, the landmarker of video capture looks at each picture, and the place of each
landmark in space is where the lines of sight meet. The result is `capture/video/embedding.py`'s file of the open head.
It needs the landmarker's networks (`python build.py landmarker`) and takes some seconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import torch

from ...capture.video.embedding import EMBEDDING_FILE, Embedding, embedded, write_embedding
from ...capture.video.fit.camera import Camera, HeadPose
from ...capture.video.frames import Frame
from ...capture.video.landmarker import Landmarker
from ...capture.video.track import track_face
from ...files.console_progress import say
from ...files.paths import DEFAULT_HEAD, find_head
from ...flame.model import FaceModel
from ...motion_tools.rotation import axis_angle_to_matrix
from ...retarget.face_shape import shape_of_model
from ..rendering.camera import Camera as FlatCamera
from ..rendering.renderer import FaceRenderer

PICTURE_PIXELS = 480
DISTANCE = 0.7
"""Metres from the camera to the middle of the face."""
VIEW_DEGREES = 39.6
_YAW_DEGREES, _PITCH_DEGREES = (-25, -12, 0, 12, 25), (-12, 0, 12)
_FRONTAL_DEGREES = 14.0  # standard deviation of the weight that views have by their angle
_BACKGROUND = 0.45


class Pictures:
    """Pictures as the frames of a video; see `capture.video.frames.Frames`.

    Attributes:
        size: width and height, pixels.
        duration_seconds: length of the video.
        notes: none.
    """

    def __init__(self, pictures: np.ndarray, fps: float = 25.0) -> None:
        """Take (T, h, w, 3) uint8 pictures."""
        self.pictures, self.fps = pictures, fps
        self.size = pictures.shape[2], pictures.shape[1]
        self.duration_seconds = len(pictures) / fps
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""
        for number, picture in enumerate(self.pictures):
            yield Frame(number / self.fps, picture)


def neutral_views() -> np.ndarray:
    """(K, 3) rotations of the head, axis-angle, radians."""
    views = itertools.product(_PITCH_DEGREES, _YAW_DEGREES)
    return np.radians(np.array([(pitch, yaw, 0.0) for pitch, yaw in views]))


def face_middle(model: FaceModel) -> np.ndarray:
    """(3,) the middle of a head's iBUG landmarks, metres."""
    assert model.landmark_faces is not None
    assert model.landmark_barycentrics is not None
    corners = model.v_template[model.faces[model.landmark_faces]]
    return np.einsum("lcd,lc->d", corners, model.landmark_barycentrics).astype(np.float64) / len(corners)


def pose_in_front(model: FaceModel, rotations: np.ndarray, shifts: np.ndarray | float = 0.0) -> HeadPose:
    """The pose of a head that turns by rotations (T, 3) about the middle of its face, DISTANCE before the camera."""
    middle = face_middle(model)
    turns = axis_angle_to_matrix(np.asarray(rotations, np.float64))
    return HeadPose(turns, np.array([0.0, 0.0, -DISTANCE]) - turns @ middle + shifts)


def render(
    model: FaceModel,
    vertices: np.ndarray,
    pose: HeadPose,
    camera: Camera,
    size: int,
    light: np.ndarray | None = None,
) -> np.ndarray:
    """(T, size, size, 3) uint8 pictures of a head in its own colours, seen in perspective.

    Args:
        model: the head.
        vertices: (T, V, 3) its vertices, metres.
        pose: where it is.
        camera: the camera, in the middle of the picture.
        size: width and height, pixels.
        light: (9, 3) as `rendering.shading.lamps_light` gives it; None for the usual lamps.
    """
    assert model.vertex_colors is not None
    colors = np.clip(model.vertex_colors, 0, 1).astype(np.float32)
    flat = FlatCamera(1.0, 0.0, 0.0, (0.0, 0.0, 0.0))
    renderer = FaceRenderer(model.faces, size, "own", flat, colors, light, background=_BACKGROUND)
    pictures = []
    for frame, points in enumerate(vertices):
        seen = pose[frame : frame + 1].of(points)[0]
        # The renderer's camera is orthographic: what it draws is divided by its depth before.
        depth = -seen[:, 2]
        scale = 2.0 * camera.focal / size
        drawn = np.stack([scale * seen[:, 0] / depth, scale * seen[:, 1] / depth, scale * (DISTANCE - depth)], axis=1)
        with torch.inference_mode():
            picture = renderer(torch.from_numpy(drawn[None].astype(np.float32)))[0]
        pictures.append((picture.permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8))
    return np.stack(pictures)


def triangulated(pixels: np.ndarray, rotations: np.ndarray, pose: HeadPose, camera: Camera) -> np.ndarray:
    """(L, 3) points of the head whose lines of sight meet best, weighted towards frontal views.

    Args:
        pixels: (K, L, 2) the landmarks in each view.
        rotations: (K, 3) of the head, axis-angle.
        pose: of the head in each view.
        camera: the camera.
    """
    angle = np.degrees(np.linalg.norm(rotations, axis=1))
    weights = np.exp(-0.5 * (angle / _FRONTAL_DEGREES) ** 2)[:, None]
    slope = (pixels - np.asarray(camera.centre)) / camera.focal * [1.0, -1.0]  # x / depth and y / depth
    points = []
    for landmark in range(pixels.shape[1]):
        rows, right = [], []
        for axis in range(2):
            line = pose.rotation[:, axis] + slope[:, landmark, axis, None] * pose.rotation[:, 2]
            place = pose.translation[:, axis] + slope[:, landmark, axis] * pose.translation[:, 2]
            rows.append(line * weights)
            right.append(-place * weights[:, 0])
        points.append(np.linalg.lstsq(np.concatenate(rows), np.concatenate(right), rcond=None)[0])
    return np.array(points)


def measured_embedding(model: FaceModel, pixels: np.ndarray) -> tuple[Embedding, np.ndarray, np.ndarray]:
    """The embedding from landmarks (K, L, 2) in the neutral views.

    Returns:
        The embedding; (K,) pixels by which each view disagrees, root mean square; (L,) metres from the mesh.
    """
    camera = Camera.of_picture((PICTURE_PIXELS, PICTURE_PIXELS), VIEW_DEGREES)
    rotations = neutral_views()
    pose = pose_in_front(model, rotations)
    points = triangulated(pixels, rotations, pose, camera)
    off = np.sqrt(((camera.pixels(pose.of(points)) - pixels) ** 2).sum(2).mean(1))
    embedding, distances = embedded(points, shape_of_model(model))
    return embedding, off, distances


def main() -> None:
    """Write the file."""
    folder = find_head(DEFAULT_HEAD)
    model = FaceModel.load(folder)
    camera = Camera.of_picture((PICTURE_PIXELS, PICTURE_PIXELS), VIEW_DEGREES)
    rotations = neutral_views()
    vertices = np.repeat(np.asarray(model.v_template, np.float64)[None], len(rotations), axis=0)
    pictures = render(model, vertices, pose_in_front(model, rotations), camera, PICTURE_PIXELS)
    landmarker = Landmarker()
    # Each view is a video of its own: they are no neighbours in time.
    tracks = [track_face(Pictures(pictures[number : number + 1]), landmarker) for number in range(len(pictures))]
    pixels = np.concatenate([track.points[:, :, :2] for track in tracks]).astype(np.float64)
    embedding, off, distances = measured_embedding(model, pixels)
    write_embedding(embedding, folder)
    say(f"views disagree by {', '.join(f'{pixel:.2f}' for pixel in off)} pixels")
    say(f"landmarks are {np.median(distances) * 1e3:.2f} mm from the mesh, at most {distances.max() * 1e3:.2f}")
    say(f"{folder / EMBEDDING_FILE} is written")


if __name__ == "__main__":
    main()
