"""Measure video capture on rendered clips, whose expressions are known, against the bars.

The command is `python -m emote_blender.training.evaluation.video_capture [--frames N] [--only TABLE ...]`. The open
head, as four people, speaks with emotions by the rules of the corpus, blinks, looks about and moves its head. The
clips are rendered, tracked and fitted, and compared with what they were made of: as they are; in other light, sizes,
cameras and noise; a still face; one performance on two identities; and how small, turned and dark a face may be to be
found. None of these people or performances was used to make the landmarks' files. The tables go to stdout and take
some minutes. It needs the landmarker's networks (`python build.py landmarker`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import astuple, replace

import numpy as np

from ...capture.video.fit.camera import Camera
from ...capture.video.fit.clip import ClipFit, fit_track
from ...capture.video.landmarker import Landmarker
from ...capture.video.track import track_face
from ...errors import InputError
from ...files.console_progress import say, show
from ...files.paths import DEFAULT_HEAD, find_head
from ...flame.model import FaceModel
from ...motion import FaceMotion
from ..open_model.landmark_embedding import Pictures
from .capture_figures import BARS, HEADINGS, Figures, figures, jitter_mm, mean_figures, missed, swap_correlation
from .rendered_clips import FPS, PERFORMANCES, USUAL, Clip, Filming, Performance, filmed, performed_motion, pictures_of

TABLES = ("people", "conditions", "still", "identity", "detection")
_CONDITIONS: dict[str, tuple[Filming, bool]] = {
    "face 65 px wide": (Filming(shrunk=2.0), True),
    "face 40 px wide": (Filming(shrunk=3.25), True),
    "20 % light, noise 2": (Filming(light=0.2, noise=2.0), True),
    "one lamp from the side": (Filming(side_lamp=True), True),
    "noise 12 of 255": (Filming(noise=12.0), True),
    "turned by 25°": (Filming(yaw_degrees=25.0), True),
    "camera of 25°": (Filming(view_degrees=25.0), True),
    "camera of 65°": (Filming(view_degrees=65.0), True),
    "camera of 65°, not given": (Filming(view_degrees=65.0), False),
}
"""How the clips are filmed, and whether the fit is given the angle of view."""
_STILL_SECONDS = 2.0
_LEAST_SWAP_R, _MOST_JITTER_MM = 0.9, 0.2
_DETECTED: dict[str, list[Filming]] = {
    "130 to 40 px wide": [Filming(shrunk=130 / width) for width in (130, 90, 65, 50, 40)],
    "yaw -45° to 45°": [Filming(yaw_degrees=yaw) for yaw in (-45.0, -30.0, -15.0, 15.0, 30.0, 45.0)],
    "100 to 20 % light": [Filming(light=light) for light in (1.0, 0.5, 0.2)],
    "40 px, 30°, 20 % light": [Filming(shrunk=3.25, yaw_degrees=yaw, light=0.2) for yaw in (-30.0, 30.0)],
}


class Studio:
    """The head, the networks, and what is filmed and captured with them."""

    def __init__(self) -> None:
        self.model = FaceModel.load(find_head(DEFAULT_HEAD))
        self.landmarker = Landmarker()

    def captured(self, clip: Clip, camera: Camera | None) -> tuple[ClipFit, float]:
        """The fit of a clip, and the fraction of frames in which the face was seen."""
        track = track_face(Pictures(clip.pictures, FPS), self.landmarker)
        return fit_track(self.model, track, fps=FPS, camera=camera), float(track.is_seen.mean())

    def measured(self, performance: Performance, num_frames: int, filming: Filming, is_camera_given: bool) -> Figures:
        """The figures of a performance."""
        motion = performed_motion(self.model, performance, num_frames)
        clip = filmed(self.model, motion, performance.shape(self.model), filming)
        fit, seen = self.captured(clip, filming.camera() if is_camera_given else None)
        return figures(self.model, clip, fit, seen)


def people_rows(studio: Studio, num_frames: int) -> Iterator[tuple[str, Figures]]:
    """Yield the figures of each person, and their mean."""
    rows = []
    for performance in PERFORMANCES:
        rows.append(studio.measured(performance, num_frames, USUAL, True))
        yield performance.label, rows[-1]
    yield "**mean**", mean_figures(rows)


def condition_rows(studio: Studio, num_frames: int) -> Iterator[tuple[str, Figures]]:
    """Yield the mean figures of the people under each condition."""
    for label, (filming, is_camera_given) in _CONDITIONS.items():
        rows = [studio.measured(performance, num_frames, filming, is_camera_given) for performance in PERFORMANCES]
        yield label, mean_figures(rows)


def still_jitter(studio: Studio) -> float:
    """Millimetres that a face seems to move from frame to frame which does not, in the noise of a camera."""
    performance = PERFORMANCES[1]
    moment = performed_motion(studio.model, performance, 12)
    count = round(_STILL_SECONDS * FPS)
    still = replace(moment, expression=moment.expression[-1:].repeat(count, 0), jaw=moment.jaw[-1:].repeat(count, 0))
    filming = Filming(noise=4.0)
    rotation = np.radians(np.tile([3.0, 8.0, 2.0], (count, 1)))
    picture = pictures_of(
        studio.model, _first_frame(still), performance.shape(studio.model), rotation[:1], filming=USUAL
    )
    noise = np.random.default_rng(3).normal(0.0, filming.noise, (count, *picture.shape[1:])).astype(np.float32)
    pictures = np.clip(picture + noise, 0, 255).astype(np.uint8)
    fit, _ = studio.captured(Clip(still, rotation, pictures), filming.camera())
    return jitter_mm(studio.model, fit.motion)


def swapped_identity(studio: Studio, num_frames: int) -> float:
    """Correlation of one performance on two identities, mean of two performances."""
    found = []
    for performance, other in ((PERFORMANCES[0], 2), (PERFORMANCES[2], 4)):
        motion = performed_motion(studio.model, performance, num_frames)
        fits = []
        for person in (performance, replace(performance, identity=other)):
            clip = filmed(studio.model, motion, person.shape(studio.model))
            fits.append(studio.captured(clip, USUAL.camera())[0].motion)
        found.append(swap_correlation(*fits))
    return float(np.mean(found))


def detection_rows(studio: Studio) -> Iterator[tuple[str, int, int]]:
    """Yield label, number of pictures in which the face is found, and number of all, each picture on its own."""
    for label, filmings in _DETECTED.items():
        num_found = num_all = 0
        for performance in PERFORMANCES:
            motion = performed_motion(studio.model, performance, 12)
            for filming in filmings:
                rotation = np.radians([[0.0, filming.yaw_degrees, 0.0]])
                shape = performance.shape(studio.model)
                picture = pictures_of(studio.model, _first_frame(motion), shape, rotation, filming=filming)
                num_found += _is_found(studio, picture)
                num_all += 1
        yield label, num_found, num_all


def _first_frame(motion: FaceMotion) -> FaceMotion:
    return replace(motion, expression=motion.expression[-1:], jaw=motion.jaw[-1:])


def _is_found(studio: Studio, picture: np.ndarray) -> bool:
    try:
        return bool(track_face(Pictures(picture, FPS), studio.landmarker).is_seen.all())
    except InputError:
        return False


def _show_rows(title: str, rows: Iterator[tuple[str, Figures]]) -> None:
    show(f"\n| {title} | " + " | ".join(HEADINGS) + " | misses |")
    show("|" + "---|" * (len(HEADINGS) + 2))
    show("| bar | " + " | ".join(f"{value:g}" for value in astuple(BARS)) + " | |")
    for label, row in rows:
        values = " | ".join(f"{value:.2f}" if value >= 1 else f"{value:.3f}" for value in astuple(row))
        show(f"| {label} | {values} | {', '.join(missed(row))} |")


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=75, help="frames of a clip (default 75)")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=TABLES, metavar="TABLE", help=", ".join(TABLES))
    chosen = parser.parse_args(arguments)
    studio = Studio()
    if "people" in chosen.only:
        _show_rows("person", people_rows(studio, chosen.frames))
    if "conditions" in chosen.only:
        say("four clips for each condition")
        _show_rows("condition, mean of four people", condition_rows(studio, chosen.frames))
    if {"still", "identity"} & set(chosen.only):
        show("\n| measure | found | bar |")
        show("|---|---|---|")
    if "still" in chosen.only:
        show(f"| false jitter of a still face, mm | {still_jitter(studio):.3f} | {_MOST_JITTER_MM:g} |")
    if "identity" in chosen.only:
        swap = swapped_identity(studio, chosen.frames)
        show(f"| same performance on two identities, r | {swap:.3f} | {_LEAST_SWAP_R:g} |")
    if "detection" in chosen.only:
        show("\n| faces found | found | of |")
        show("|---|---|---|")
        for label, num_found, num_all in detection_rows(studio):
            show(f"| {label} | {num_found} | {num_all} |")


if __name__ == "__main__":
    main()
