"""Measure video capture on rendered clips, whose expressions are known.

The command is `python -m emote_blender.training.evaluation.video_capture [--frames N]`. The open head, as several
people, speaks with emotions by the rules of the corpus, blinks, looks about and moves its head. The clips are rendered,
tracked and fitted, and compared with what they were made of. The table goes to stdout. It needs the landmarker's
networks (`python build.py landmarker`).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from ...capture.video.fit.camera import Camera
from ...capture.video.fit.clip import ClipFit, fit_track
from ...capture.video.landmarker import Landmarker
from ...capture.video.mix import mixed
from ...capture.video.track import track_face
from ...files.console_progress import say, show
from ...files.paths import DEFAULT_HEAD, find_head
from ...flame.measure import LIPS_CLOSED_GAP, lip_gap
from ...flame.model import FaceModel
from ...motion import FaceMotion
from ...motion_tools.rotation import axis_angle_to_matrix
from ..corpus.motion.articulation import tracks
from ..corpus.motion.emotion_styles import EXPRESSION_NAMES, face
from ..open_model.expression_prior import random_speech
from ..open_model.landmark_embedding import PICTURE_PIXELS, VIEW_DEGREES, Pictures, pose_in_front, render

FPS = 25.0
_CLOSED_MM = LIPS_CLOSED_GAP * 1e3
_CLIPS = (("happy", "broad", None), ("anger", "lively", 2), ("neutral", "even", 3), ("sad", "reserved", 4))
"""Emotion, speaker, and seed of the identity; None is the mean face."""
_HEADER = (
    "clip",
    "face mm",
    "lips mm",
    "gap r",
    "gap mm",
    "closure F1",
    "jaw r",
    "blink F1",
    "brow r",
    "gaze r",
    "head °",
    "with sound F1",
    "ms",
)


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


def rendered_clip(model: FaceModel, emotion: str, speaker: str, identity: int | None, num_frames: int) -> Clip:
    """A clip of a person who speaks with an emotion."""
    random = np.random.default_rng(0 if identity is None else identity)
    shape = np.zeros(model.num_shape) if identity is None else random.uniform(-1, 1, model.num_shape)
    phones, loudness = random_speech(random)
    expression, jaw = face(tracks(phones, len(loudness)), loudness, emotion, 1.0, speaker)
    names = model.expression_names or ()
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
    waves = [6 * np.sin(2 * np.pi * seconds / 1.9), 14 * np.sin(2 * np.pi * seconds / 2.7 + 0.5)]
    rotation = np.radians(np.stack([*waves, 4 * np.sin(2 * np.pi * seconds / 2.1 + 1)], axis=1))
    shift = np.stack([0.012 * np.sin(2.9 * seconds), 0.008 * np.sin(3.9 * seconds), 0.015 * np.sin(2.1 * seconds)], 1)
    motion = FaceMotion(expression, jaw[:num_frames], FPS, meta={"face": model.basis, "expression_names": list(names)})
    vertices = model.vertices(motion.expression, motion.jaw, shape).astype(np.float64)
    camera = Camera.of_picture((PICTURE_PIXELS, PICTURE_PIXELS), VIEW_DEGREES)
    pictures = render(model, vertices, pose_in_front(model, rotation, shift), camera, PICTURE_PIXELS)
    return Clip(motion, rotation, pictures)


def figures(model: FaceModel, clip: Clip, fit: ClipFit, milliseconds: float) -> list[float]:
    """What the table says of a clip; see _HEADER."""
    found, true = fit.motion, clip.motion
    posed, wanted = (model.vertices(motion.expression, motion.jaw) for motion in (found, true))
    off = np.linalg.norm(posed - wanted, axis=2) * 1e3
    skin = (model.v_template[:, 2] > 0) & (model.regions["skin"] > 0.5)
    gap, true_gap = lip_gap(model, posed) * 1e3, lip_gap(model, wanted) * 1e3
    assert found.neck is not None
    turn = np.swapaxes(axis_angle_to_matrix(clip.rotation), 1, 2) @ axis_angle_to_matrix(found.neck.astype(np.float64))
    degrees = np.degrees(np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    with_sound = mixed(found, fit.valid, true, model)
    closed, names = true_gap < _CLOSED_MM, list(model.expression_names or ())

    def value(motion: FaceMotion, plus: str, minus: str | None = None) -> np.ndarray:
        lower = 0.0 if minus is None else motion.expression[:, names.index(minus)]
        return motion.expression[:, names.index(plus)] - lower

    blink, brow, gaze = ("eyeBlinkLeft", None), ("browInnerUp", None), ("eyeLookOutLeft", "eyeLookInLeft")
    mixed_gap = lip_gap(model, model.vertices(with_sound.expression, with_sound.jaw)) * 1e3
    return [
        off[:, skin].mean(),
        off[:, model.regions["lips"] > 0.5].mean(),
        _correlation(gap, true_gap),
        np.abs(gap - true_gap).mean(),
        _f1(gap < _CLOSED_MM, closed),
        _correlation(found.jaw[:, 0], true.jaw[:, 0]),
        _f1(value(found, *blink) > 0.5, value(true, *blink) > 0.5),
        _correlation(value(found, *brow), value(true, *brow)),
        _correlation(value(found, *gaze), value(true, *gaze)),
        degrees.mean(),
        _f1(mixed_gap < _CLOSED_MM, closed),
        milliseconds,
    ]


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if min(one.std(), other.std()) > 1e-6 else float("nan")


def _f1(found: np.ndarray, true: np.ndarray) -> float:
    total = found.sum() + true.sum()
    return 2.0 * (found & true).sum() / total if total else float("nan")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=75, help="frames of a clip (default 75)")
    num_frames = parser.parse_args().frames
    model = FaceModel.load(find_head(DEFAULT_HEAD))
    landmarker = Landmarker()
    camera = Camera.of_picture((PICTURE_PIXELS, PICTURE_PIXELS), VIEW_DEGREES)
    rows = []
    for emotion, speaker, identity in _CLIPS:
        clip = rendered_clip(model, emotion, speaker, identity, num_frames)
        track = track_face(Pictures(clip.pictures, FPS), landmarker)
        start = time.process_time()
        fit = fit_track(model, track, fps=FPS, camera=camera)
        row = figures(model, clip, fit, (time.process_time() - start) / num_frames * 1e3)
        rows.append((f"{emotion}, {'mean face' if identity is None else f'person {identity}'}", row))
        say(f"{emotion}: {track.is_seen.sum()} of {num_frames} frames seen")
    rows.append(("mean", np.nanmean([row for _, row in rows], axis=0).tolist()))
    show("| " + " | ".join(_HEADER) + " |")
    show("|" + "---|" * len(_HEADER))
    for name, row in rows:
        show(f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + " |")


if __name__ == "__main__":
    main()
