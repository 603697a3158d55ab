"""Small folders of rendered videos: people who speak, with the motion behind each video."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from face_videos import write_video

from emote_blender.capture.video.fit.camera import Camera
from emote_blender.flame.model import FaceModel
from emote_blender.training.open_model.landmark_embedding import VIEW_DEGREES, pose_in_front, render

PIXELS = 224


@dataclass(frozen=True, eq=False)
class Film:
    """A rendered clip.

    Attributes:
        pictures: (T, h, w, 3) uint8.
        expression: (T, E).
        jaw: (T, 3) radians.
        sound: (N,) at 16 kHz: as loud as the mouth is open.
    """

    pictures: np.ndarray
    expression: np.ndarray
    jaw: np.ndarray
    sound: np.ndarray


def film(head: FaceModel, num_frames: int, seed: int) -> Film:
    """Somebody who opens and closes the mouth, and begins and ends neutral."""
    random = np.random.default_rng(seed)
    shape = random.uniform(-1, 1, head.num_shape)
    seconds = np.arange(num_frames) / 25
    opening = np.clip(np.sin(2 * np.pi * (1.8 + 0.3 * seed) * seconds + seed), 0, 1) * (seconds > 0.2)
    names = list(head.expression_names)
    expression = np.zeros((num_frames, head.num_expression), np.float32)
    expression[:, names.index("mouthFunnel")] = 0.3 * opening
    jaw = np.zeros((num_frames, 3), np.float32)
    jaw[:, 0] = 0.22 * opening
    turn = np.radians(np.stack([2 * np.sin(3 * seconds), 6 * np.sin(2 * seconds + seed), 0 * seconds], axis=1))
    vertices = head.vertices(expression, jaw, shape).astype(np.float64)
    camera = Camera.of_picture((PIXELS, PIXELS), VIEW_DEGREES)
    pictures = render(head, vertices, pose_in_front(head, turn), camera, PIXELS)
    time = np.arange(num_frames * 640) / 16000
    buzz = sum(np.sin(2 * np.pi * (110 + 20 * seed) * harmonic * time) / harmonic for harmonic in range(1, 12))
    sound = 0.15 * buzz * np.interp(time, seconds, 0.02 + opening)
    return Film(pictures, expression, jaw, sound.astype(np.float32))


def write_mead_clip(root: Path, take: str, clip: Film, camera: str = "front") -> None:
    """Write a clip as MEAD has it: PERSON/EMOTION/level_N/NNN gives a video and a sound file."""
    person, emotion, level, number = take.split("/")
    video = root / person / "video" / camera / emotion / level / f"{number}.mp4"
    audio = root / person / "audio" / emotion / level / f"{number}.wav"
    for path in (video, audio):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_video(video, list(clip.pictures), codec="mpeg4", pixel_format="yuv420p", bit_rate=4_000_000)
    soundfile.write(audio, clip.sound, 16000)
