"""A face followed through a video, in two passes.

In the first pass, the crop of a frame lies where the points of the frame before were: so it lags, and what it shows
jitters. The second pass looks again, in crops whose path through time is smooth. Both go through the video together:
the second pass follows a fraction of a second behind, so that a frame is decoded once and only a few are in memory. It
runs on a thread of its own.
"""

from __future__ import annotations

import logging
import math
import tempfile
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from ...errors import InputError
from ...steps import Step, no_step
from .appearance import skin_colors
from .crops import Cropper, Patch, Region, points_in_picture, region_of_points
from .face_track import FaceTrack, Reason
from .frames import Frame, Frames
from .judging import Second, judge, place_of_points, yaw_of_points
from .landmarker import DETECTOR_SIZE, NUM_POINTS, POINTS_SIZE, SCORE_NAMES, Landmarker
from .people import SMALLEST_FACE, People, find_faces, search

logger = logging.getLogger(__name__)

SMOOTHING_SECONDS = 0.06
"""Standard deviation of the Gaussian in time that smooths the crop's path."""

_REACH_SECONDS = 3 * SMOOTHING_SECONDS
_LEAST_PRESENCE = 0.5
_THOROUGH_SECONDS = 0.2  # between two searches of small parts of the picture
_OTHERS_SECONDS = 1.0  # between two searches for other people
_PATCH_MARGIN = 1.3  # the second pass may look a little beside the first
_LARGEST_MOVE, _LARGEST_GROWTH = 0.5, 1.5  # of the crop from frame to frame, in its sides and its size
_ROW = 3 * NUM_POINTS + len(SCORE_NAMES)
_MOST_WAITING = 8  # frames for which the first pass may be ahead of the second
_ROWS_IN_MEMORY = 20_000  # 118 MB


@dataclass(frozen=True, eq=False)
class _First:
    """What the first pass saw in a frame.

    Attributes:
        seconds: time of the frame.
        reason: NONE, or why no face is followed in it.
        is_break: whether the face was found anew.
        scale: pixels of the video for each of the picture, x and y.
        patch: the part of the picture around the face.
        points: (478, 3) points in pixels of the picture.
        region: the region of the points.
    """

    seconds: float
    reason: Reason
    is_break: bool
    scale: tuple[float, float]
    patch: Patch | None = None
    points: np.ndarray | None = None
    region: Region | None = None


def track_face(
    frames: Frames,
    landmarker: Landmarker,
    near: tuple[float, float] | None = None,
    step: Step = no_step,
    label: str = "the video",
    meta: dict[str, Any] | None = None,
) -> FaceTrack:
    """One face in all frames of a video.

    Args:
        frames: the video.
        landmarker: the networks.
        near: a place beside the face to follow where it is first seen, in pixels of the video as it is shown; None for
            the largest face of the first frame that shows any.
        step: called for each frame; it may raise Cancelled.
        label: what the video is called in sentences.
        meta: what to keep with the track.

    Raises:
        InputError: no frame shows a face.
    """
    follower = _Follower(landmarker, frames.size, near)
    rows = _Rows()
    seconds = list(_second_pass(_smoothed(_first_pass(frames, follower, step)), landmarker, rows))
    if all(second.reason in (Reason.NO_FACE, Reason.TOO_SMALL) for second in seconds):
        raise _nothing_found(seconds, label, near)
    reasons = judge(seconds)
    notes = list(frames.notes)
    if follower.people.most_at_once > 1:
        notes.append(f"{follower.people.most_at_once} faces were seen at once; one was followed, by its place")
    points, scores = rows.arrays()
    return FaceTrack(
        times=np.array([second.seconds for second in seconds]),
        points=points,
        scores=scores,
        reasons=reasons,
        breaks=np.array([second.is_break for second in seconds]),
        image_size=frames.size,
        meta={**(meta or {}), "notes": notes, "people": follower.people.most_at_once},
    )


def _first_pass(frames: Frames, follower: _Follower, step: Step) -> Iterator[_First]:
    """Yield what the first pass sees in each frame."""
    for frame in frames:
        part = frame.seconds / frames.duration_seconds if frames.duration_seconds else 0.0
        step(min(max(part, 0.0), 1.0), "Tracking the face")
        yield follower.look(frame)


def _smoothed(looks: Iterator[_First]) -> Iterator[tuple[_First, Region | None]]:
    """Yield each look with the crop's smoothed region, once the looks around it in time are known."""
    window: deque[_First] = deque()
    pending = 0  # index in the window of the next look to yield
    for look in looks:
        window.append(look)
        while window[pending].seconds <= look.seconds - _REACH_SECONDS:
            yield window[pending], smooth_region(window, pending)
            pending += 1
        while window[0].seconds < window[pending].seconds - _REACH_SECONDS:
            window.popleft()
            pending -= 1
    for index in range(pending, len(window)):
        yield window[index], smooth_region(window, index)


def smooth_region(window: Any, index: int) -> Region | None:
    """The region of a look from those around it: a line through them in time, those near in time counting most.

    Looks beyond a break or a frame without a face do not count.

    Args:
        window: looks in the order of their times.
        index: which one; None is returned if it shows no face.
    """
    middle = window[index].region
    if middle is None:
        return None
    start, stop = index, index + 1
    while start > 0 and not window[start].is_break and window[start - 1].region is not None:
        start -= 1
    while stop < len(window) and not window[stop].is_break and window[stop].region is not None:
        stop += 1
    near = [window[k] for k in range(start, stop)]
    times = np.array([look.seconds for look in near]) - window[index].seconds
    values = np.array([(look.region.x, look.region.y, look.region.side, look.region.angle) for look in near])
    turns = (values[:, 3] - middle.angle + math.pi) % (2 * math.pi) - math.pi
    values[:, 3] = middle.angle + turns
    weights = np.exp(-0.5 * (times / SMOOTHING_SECONDS) ** 2)
    weights /= weights.sum()
    centre, mean = weights @ times, weights @ values
    spread = weights @ (times - centre) ** 2
    if spread > 1e-12:
        slope = (weights * (times - centre)) @ (values - mean) / spread
        mean = mean - slope * centre
    return Region(*mean.tolist())


def _second_pass(
    looks: Iterator[tuple[_First, Region | None]], landmarker: Landmarker, rows: _Rows
) -> Iterator[Second]:
    """Yield what the second pass sees in each frame, while the first one goes on."""
    cropper = Cropper(POINTS_SIZE)
    waiting: deque[Future[Second]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for first, crop in looks:
            waiting.append(pool.submit(_second_look, first, crop, landmarker, cropper, rows))
            if len(waiting) > _MOST_WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _second_look(first: _First, crop: Region | None, landmarker: Landmarker, cropper: Cropper, rows: _Rows) -> Second:
    """What the second pass sees in a frame; its points and scores go into the rows."""
    if first.patch is None or first.points is None or crop is None:
        rows.add(None, None)
        return Second(first.seconds, first.reason, first.is_break)
    points, presence = points_of(landmarker, cropper, first.patch, crop)
    width = region_of_points(points).face_width
    disagreement = float(np.linalg.norm(points[:, :2] - first.points[:, :2], axis=1).mean()) / width
    shown = points * np.array([*first.scale, first.scale[0]], np.float32)
    rows.add(shown, landmarker.scores(shown))
    return Second(
        first.seconds,
        first.reason,
        first.is_break,
        yaw_of_points(shown),
        place_of_points(shown),
        presence,
        disagreement,
        skin_colors(first.patch, points),
    )


def points_of(landmarker: Landmarker, cropper: Cropper, patch: Patch, region: Region) -> tuple[np.ndarray, float]:
    """(478, 3) points in pixels of the picture, and how likely the region shows a face."""
    points, presence = landmarker.points(cropper.cut(patch, region))
    return points_in_picture(points, region), presence


def _nothing_found(seconds: list[Second], label: str, near: tuple[float, float] | None) -> InputError:
    """The error for a video without a face that can be used."""
    if any(second.reason == Reason.TOO_SMALL for second in seconds):
        return InputError(
            f"the faces in {label} are too small: less than {SMALLEST_FACE:.0f} pixels wide; use a video that is closer"
        )
    if near is not None:
        return InputError(f"no face was found near ({near[0]:.0f}, {near[1]:.0f}) in {label}; choose another place")
    if not seconds:
        return InputError(f"{label} holds no frame; choose another video")
    return InputError(
        f"no face was found in {label} ({len(seconds)} frames); it must be seen from the front, well lit, and not "
        "upside down"
    )


class _Follower:
    """The first pass."""

    def __init__(self, landmarker: Landmarker, size: tuple[int, int], near: tuple[float, float] | None) -> None:
        self.landmarker, self.people = landmarker, People()
        self._size, self._near = size, near
        self._cropper, self._searcher = Cropper(POINTS_SIZE), Cropper(DETECTOR_SIZE)
        self._region: Region | None = None  # of the points in the frame before
        self._searched_thoroughly = self._searched_others = -math.inf

    def look(self, frame: Frame) -> _First:
        """What is seen in the next frame."""
        picture = frame.picture
        height, width = picture.shape[:2]
        scale = self._size[0] / width, self._size[1] / height
        if self._near is not None:
            self.people = People((self._near[0] / scale[0], self._near[1] / scale[1]))
            self._near = None
        continued = self._continued(picture)
        found = continued or self._found_anew(picture, frame.seconds)
        if isinstance(found, Reason):
            self._region = None
            return _First(frame.seconds, found, True, scale)
        points, region, patch = found
        self._region = region
        self.people.follow(region, frame.seconds)
        if frame.seconds - self._searched_others >= _OTHERS_SECONDS:
            self._searched_others = frame.seconds
            self.people.notice(find_faces(self.landmarker, self._searcher, picture, thorough=False), frame.seconds)
        if not patch.shows(region, width, height):
            patch = Patch.around(picture, region, POINTS_SIZE, _PATCH_MARGIN)
        reason = Reason.TOO_SMALL if region.face_width < SMALLEST_FACE else Reason.NONE
        return _First(frame.seconds, reason, continued is None, scale, patch, points, region)

    def _continued(self, picture: np.ndarray) -> tuple[np.ndarray, Region, Patch] | None:
        """Points, region and patch of the face where it was in the frame before; None if it is not there."""
        if self._region is None:
            return None
        points, presence, patch = self._looked(picture, self._region)
        region = region_of_points(points)
        growth = region.side / self._region.side
        is_far = region.distance(self._region) > _LARGEST_MOVE * self._region.side
        if presence < _LEAST_PRESENCE or is_far or not 1 / _LARGEST_GROWTH < growth < _LARGEST_GROWTH:
            return None
        return points, region, patch

    def _found_anew(self, picture: np.ndarray, seconds: float) -> tuple[np.ndarray, Region, Patch] | Reason:
        """Points, region and patch of the face, wherever it is in the picture; or why there is none."""
        chosen = None
        if (tile := self.people.last_tile) is not None:
            chosen = self.people.choose(search(self.landmarker, self._searcher, picture, tile), seconds)
        if chosen is None:
            thorough = seconds - self._searched_thoroughly >= _THOROUGH_SECONDS
            if thorough:
                self._searched_thoroughly = seconds
            chosen = self.people.choose(find_faces(self.landmarker, self._searcher, picture, thorough), seconds)
        if chosen is None:
            return Reason.NO_FACE
        if chosen.face_width < SMALLEST_FACE:
            return Reason.TOO_SMALL
        points, presence, _ = self._looked(picture, chosen)
        if presence < _LEAST_PRESENCE:
            return Reason.NO_FACE
        # The detector's box is rough: once more, around the points.
        points, presence, patch = self._looked(picture, region_of_points(points))
        if presence < _LEAST_PRESENCE:
            return Reason.NO_FACE
        return points, region_of_points(points), patch

    def _looked(self, picture: np.ndarray, region: Region) -> tuple[np.ndarray, float, Patch]:
        """Points in pixels of the picture, how likely the region shows a face, and the patch around it."""
        patch = Patch.around(picture, region, POINTS_SIZE, _PATCH_MARGIN)
        return *points_of(self.landmarker, self._cropper, patch, region), patch


class _Rows:
    """Points and scores of the frames so far, of a long video in a temporary file."""

    def __init__(self) -> None:
        self._held: list[np.ndarray] = []
        self._file: IO[bytes] | None = None
        self._num_rows = 0

    def add(self, points: np.ndarray | None, scores: np.ndarray | None) -> None:
        """Add a frame: its (478, 3) points and (52,) scores, or None."""
        row = np.full(_ROW, np.nan, np.float32)
        if points is not None and scores is not None:
            row[: 3 * NUM_POINTS], row[3 * NUM_POINTS :] = points.reshape(-1), scores
        self._held.append(row)
        self._num_rows += 1
        if len(self._held) >= _ROWS_IN_MEMORY:
            self._write()

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """(T, 478, 3) points and (T, 52) scores."""
        if self._file is None:
            rows = np.stack(self._held) if self._held else np.empty((0, _ROW), np.float32)
        else:
            self._write()
            rows = np.memmap(self._file, np.float32, "r", shape=(self._num_rows, _ROW))
        return rows[:, : 3 * NUM_POINTS].reshape(len(rows), NUM_POINTS, 3), rows[:, 3 * NUM_POINTS :]

    def _write(self) -> None:
        """Move the rows in memory to the file."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()
            for row in self._held:
                self._file.write(row.data)
            self._file.flush()
        except OSError as error:
            raise InputError(
                f"the temporary folder has no room for the points of this video ({error.strerror}); make room, or "
                "track shorter parts"
            ) from error
        self._held.clear()
