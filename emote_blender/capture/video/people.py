"""Which faces are in a picture, and which of them is the one that is followed: by where it was."""

from __future__ import annotations

import numpy as np

from .crops import Cropper, Patch, Region, region_of_box
from .landmarker import DETECTOR_SIZE, FaceBox, Landmarker

SMALLEST_FACE = 24.0
"""Width of the smallest face whose points are of use, pixels of the picture that is searched."""

_FINEST_TILE = 320.0  # pixels; the detector finds faces from 7 % of the picture that it is given
_LOCAL_TILE = 4.0  # width of what is searched around the last place of a face, in widths of the face
_SAME_PLACE = 1.0  # widths of a face within which two detections are of the same face
_NEAR = 2.0  # widths of a face within which it is believed to be the one that was lost
_LONG_LOST_SECONDS = 0.5  # after which the face may be anywhere where nobody else is
_MOST_OTHERS = 16
_REMEMBERED_SECONDS = 10.0  # for which the place of somebody who is not seen is still theirs


def find_faces(landmarker: Landmarker, cropper: Cropper, picture: np.ndarray, thorough: bool = True) -> list[Region]:
    """The faces in a picture, the largest first.

    Args:
        landmarker: the networks.
        cropper: cuts crops of the detector's size.
        picture: (H, W, 3) uint8.
        thorough: whether smaller and smaller parts of the picture are searched too if nothing is found in the whole.
    """
    height, width = picture.shape[:2]
    side = float(max(height, width))
    found = search(landmarker, cropper, picture, Region(width / 2, height / 2, side, 0.0))
    while not found and thorough and side > _FINEST_TILE:
        side /= 2
        boxes: list[Region] = []
        for y in _tile_centres(height, side):
            for x in _tile_centres(width, side):
                for region in search(landmarker, cropper, picture, Region(x, y, side, 0.0)):
                    if all(region.distance(other) > other.face_width for other in boxes):
                        boxes.append(region)
        found = sorted(boxes, key=lambda region: -region.side)
    return found


def search(landmarker: Landmarker, cropper: Cropper, picture: np.ndarray, tile: Region) -> list[Region]:
    """The faces in an upright square part of a picture, the largest first."""
    patch = Patch.around(picture, tile, DETECTOR_SIZE)
    boxes = landmarker.detect(cropper.cut(patch, tile))
    regions = [_region(box, tile) for box in boxes]
    return sorted(regions, key=lambda region: -region.side)


def _region(box: FaceBox, tile: Region) -> Region:
    """The region of a detected face in the picture."""
    left, top = tile.x - tile.side / 2, tile.y - tile.side / 2
    right_eye, left_eye = ((left + x * tile.side, top + y * tile.side) for x, y in (box.right_eye, box.left_eye))
    return region_of_box(left + box.x * tile.side, top + box.y * tile.side, box.size * tile.side, right_eye, left_eye)


def _tile_centres(length: int, side: float) -> list[float]:
    """Centres of tiles along an axis: they overlap by half and reach both ends."""
    if length <= side:
        return [length / 2]
    count = int(np.ceil((length - side) / (side / 2))) + 1
    return np.linspace(side / 2, length - side / 2, count).tolist()


class People:
    """Where the followed face and those of others were seen last."""

    def __init__(self, near: tuple[float, float] | None = None) -> None:
        """`near` is a place in the picture beside which the face to follow is found first; None: the largest face."""
        self._near = near
        self._followed: Region | None = None
        self._seen_at = 0.0
        self._others: list[tuple[float, Region]] = []  # when and where each was seen last
        self.most_at_once = 0

    @property
    def last_tile(self) -> Region | None:
        """The part of the picture around the last place of the followed face; None if it was never seen."""
        if self._followed is None:
            return None
        return Region(self._followed.x, self._followed.y, _LOCAL_TILE * self._followed.face_width, 0.0)

    def follow(self, region: Region, seconds: float) -> None:
        """Take note of where the followed face is."""
        self._followed, self._seen_at = region, seconds

    def notice(self, faces: list[Region], seconds: float) -> None:
        """Take note of all faces of a picture in which the followed one is seen."""
        followed = self._followed
        others = [face for face in faces if followed is None or not _is_same_place(face, followed)]
        self.most_at_once = max(self.most_at_once, len(others) + (followed is not None))
        # Someone who is not seen now may only have turned away.
        seen_now = others if followed is None else [*others, followed]
        kept = [
            (when, known)
            for when, known in self._others
            if seconds - when < _REMEMBERED_SECONDS and not any(_is_same_place(known, face) for face in seen_now)
        ]
        self._others = [*((seconds, face) for face in others), *kept][:_MOST_OTHERS]

    def choose(self, faces: list[Region], seconds: float) -> Region | None:
        """The face to follow among those of a picture; None if it is not there."""
        self.most_at_once = max(self.most_at_once, len(faces))
        if not faces:
            return None
        followed = self._followed
        if followed is None:
            return self._first_choice(faces, seconds)
        is_long_lost = seconds - self._seen_at > _LONG_LOST_SECONDS
        taken = [known for when, known in self._others if seconds - when < _REMEMBERED_SECONDS]
        candidates = []
        for face in faces:
            distance = face.distance(followed)
            if any(face.distance(other) < min(distance, _NEAR * other.face_width) for other in taken):
                continue  # it is where somebody else was
            if distance < _NEAR * followed.face_width or is_long_lost or not taken:
                candidates.append((distance, face))
        return min(candidates, key=lambda candidate: candidate[0])[1] if candidates else None

    def _first_choice(self, faces: list[Region], seconds: float) -> Region | None:
        """The largest face, or the one at the place that was given."""
        if self._near is None:
            chosen = max(faces, key=lambda face: face.side)
        else:
            place = Region(*self._near, 0.0, 0.0)
            chosen = min(faces, key=lambda face: face.distance(place))
            if chosen.distance(place) > _NEAR * chosen.face_width:
                return None
        self._others = [(seconds, face) for face in faces if face is not chosen]
        return chosen


def _is_same_place(first: Region, second: Region) -> bool:
    return first.distance(second) < _SAME_PLACE * max(first.face_width, second.face_width)
