"""Learn what the landmarker makes of a face, from rendered people of whom everything is known.

The command is `python -m emote_blender.training.open_model.landmark_response`. People of random identity speak with
every emotion, blink, look about, and move single components, in random poses, a picture at a time. The landmarker looks
at each picture, and the errors of its points are explained by the turn of the head and by the displacement of the
landmarks (ridge regression). The result is `capture/video/response.py`'s file in the open head's folder. It needs the
landmarker's networks (`python build.py landmarker`), the file of `landmark_embedding`, and some minutes.

The people that `training.evaluation.video_capture` measures are others.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from ...capture.video.crops import Cropper, Patch, region_of_points
from ...capture.video.embedding import Embedding, read_embedding
from ...capture.video.fit.camera import Camera, HeadPose
from ...capture.video.landmark_groups import (
    INNER_LIP_PAIRS,
    NUM_LANDMARKS,
    OUTLINE,
)
from ...capture.video.landmarker import POINTS_SIZE, Landmarker
from ...capture.video.response import (
    LID_PAIRS,
    LID_STEP,
    NUM_LID_STEPS,
    NUM_TURNS,
    RESPONSE_FILE,
    Response,
    exact_response,
    lid_gap,
    turn_features,
    write_response,
)
from ...capture.video.track import points_of
from ...files.console_progress import say
from ...files.paths import DEFAULT_HEAD, find_head
from ...flame.model import FaceModel
from ..corpus.motion.articulation import tracks
from ..corpus.motion.emotion_styles import EMOTIONS, EXPRESSION_NAMES, SPEAKERS, face
from .expression_prior import random_speech
from .landmark_embedding import PICTURE_PIXELS, VIEW_DEGREES, pose_in_front, render

FIRST_PERSON, NUM_PEOPLE, PICTURES_EACH = 1000, 80, 20
_INTENSITIES = (0.0, 0.5, 1.0, 2.0)
_TURN_DEGREES = (8.0, 14.0, 5.0)  # standard deviations of pitch, yaw and roll
_SHIFT, _DEPTH = 0.02, 0.15  # metres
_BLINKING, _BROWS_UP, _BROWS_DOWN, _SINGLE = 0.35, 0.2, 0.15, 0.5  # fractions of the pictures
_PATCH_MARGIN = 1.3
_RIDGE = 1000.0  # mm²: small movements, of which little is seen, keep their geometry
_TURN_RIDGE = 0.01  # radians²
_RANK = 48
_LID_RIDGE = 10.0  # pictures
_NEAREST_LIPS = tuple(np.arange(0.0, 0.6, 0.05))  # mm; see Response.lips
_HIDDEN_LIPS, _HIDDEN_WIDTHS = tuple(np.arange(0.0, 4.0, 0.2)), tuple(np.arange(0.4, 1.3, 0.1))


@dataclass(frozen=True, eq=False)
class Pictured:
    """A person in pictures, as the landmarker sees it and as it is.

    Attributes:
        pixels: (K, L, 2) the landmarker's points.
        points: (K, L, 3) the landmarks in the head's axes, metres.
        pose: of the head.
    """

    pixels: np.ndarray
    points: np.ndarray
    pose: HeadPose


def pictured_person(model: FaceModel, embedding: Embedding, landmarker: Landmarker, seed: int) -> Pictured:
    """A person of random identity in pictures of random expressions and poses."""
    random = np.random.default_rng(seed)
    shape = random.uniform(-1, 1, model.num_shape)
    expression, jaw = random_faces(model, random)
    turns = np.radians(random.normal(0, 1, (PICTURES_EACH, 3)) * _TURN_DEGREES)
    shifts = random.normal(0, _SHIFT, (PICTURES_EACH, 3))
    shifts[:, 2] = random.uniform(-_DEPTH, _DEPTH, PICTURES_EACH)
    pose = pose_in_front(model, turns, shifts)
    vertices = model.vertices(expression, jaw, shape).astype(np.float64)
    camera = Camera.of_picture((PICTURE_PIXELS, PICTURE_PIXELS), VIEW_DEGREES)
    pictures = render(model, vertices, pose, camera, PICTURE_PIXELS)
    corners = vertices[:, model.faces[embedding.faces]]
    points = np.einsum("lk,tlkc->tlc", embedding.barycentrics, corners) + embedding.offsets
    beginning = camera.pixels(pose.of(points))
    cropper = Cropper(POINTS_SIZE)
    pixels = [_looked(landmarker, cropper, *both) for both in zip(pictures, beginning, strict=True)]
    return Pictured(np.stack(pixels), points, pose)


def random_faces(model: FaceModel, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(K, E) expressions and (K, 3) jaw rotations, radians; the first is neutral."""
    names = list(model.expression_names or ())
    column = {name: number for number, name in enumerate(names)}
    phones, loudness = random_speech(random)
    spoken = tracks(phones, len(loudness))
    order = [EXPRESSION_NAMES.index(name) for name in names]
    expression, jaw = np.zeros((PICTURES_EACH, len(names))), np.zeros((PICTURES_EACH, 3))
    for number in range(1, PICTURES_EACH):
        styled, turned = face(
            spoken,
            loudness,
            str(random.choice(list(EMOTIONS))),
            float(random.choice(_INTENSITIES)),
            str(random.choice(list(SPEAKERS))),
        )
        moment = random.integers(len(styled))
        expression[number], jaw[number] = styled[moment, order], turned[moment]
    expression = expression.clip(0.0, 1.0)
    for number in range(PICTURES_EACH):
        across, up = random.uniform(-0.8, 0.8), random.uniform(-0.6, 0.6)
        for side, direction in (("Left", across), ("Right", -across)):
            looks = {"Out": direction, "In": -direction, "Up": up, "Down": -up}
            for look, value in looks.items():
                expression[number, column[f"eyeLook{look}{side}"]] = max(value, 0.0)
        if number == 0:
            continue
        moved: list[str] = []
        if random.random() < _BLINKING:
            moved += ["eyeBlinkLeft", "eyeBlinkRight"]
        brows = random.random()
        if brows < _BROWS_UP:
            moved += ["browInnerUp", "browOuterUpLeft", "browOuterUpRight"]
        elif brows < _BROWS_UP + _BROWS_DOWN:
            moved += ["browDownLeft", "browDownRight"]
        if random.random() < _SINGLE:
            name = names[random.integers(len(names))]
            other = name.replace("Left", "Right")
            if not name.startswith(("eyeLook", "tongue")):
                moved += [name, other if other in column else name]
        expression[number, [column[name] for name in moved]] = random.uniform(0, 1)
    return expression.astype(np.float32), jaw.astype(np.float32)


def learned_response(people: list[Pictured], rest: np.ndarray) -> Response:
    """The response that explains the landmarker's errors best.

    Args:
        people: in pictures.
        rest: (L, 3) the landmarks of the mean neutral face, metres.
    """
    places, ups, metres = zip(*(_places(person) for person in people), strict=True)
    true = [_places_of_truth(person, scale) for person, scale in zip(people, metres, strict=True)]
    lips = _lips_of(np.concatenate(places), np.concatenate(true), np.concatenate(ups))
    lids = _lids_of(np.concatenate(places), np.concatenate(true), np.concatenate(ups))
    shown = replace(exact_response(), lips=lips, lids=lids)
    errors, moves, turns = [], [], []
    for person, place, truth, up in zip(people, places, true, ups, strict=True):
        off = shown.parted_lids(shown.parted_lips(place, up), up) - truth
        beside = np.concatenate([off, np.zeros_like(off[..., :1])], axis=2)
        errors.append(np.matmul(beside, person.pose.rotation)[..., :2])
        moves.append((person.points - rest)[..., :2])
        turns.append(turn_features(person.pose.rotation))
    error, move = (1e3 * np.concatenate(part).reshape(-1, 2 * NUM_LANDMARKS) for part in (errors, moves))
    rows = np.concatenate([np.ones((len(error), 1)), np.concatenate(turns), move], axis=1)
    ridge = np.r_[0.0, np.full(NUM_TURNS, _TURN_RIDGE), np.full(2 * NUM_LANDMARKS, _RIDGE)]
    found = np.linalg.solve(rows.T @ rows + np.diag(ridge), rows.T @ error)
    left = (error - rows @ found).reshape(len(error), NUM_LANDMARKS, 2)
    inside = np.setdiff1d(np.arange(NUM_LANDMARKS), OUTLINE)
    before, after = (np.sqrt((part.reshape(left.shape)[:, inside] ** 2).sum(2).mean()) for part in (error, left))
    say(f"errors of {before:.2f} mm become {after:.2f}")
    first, sizes, last = np.linalg.svd(found[1 + NUM_TURNS :])
    size = np.sqrt(sizes[:_RANK])
    return Response(
        1e-3 * found[0].reshape(NUM_LANDMARKS, 2),
        1e-3 * found[1 : 1 + NUM_TURNS].reshape(NUM_TURNS, NUM_LANDMARKS, 2),
        first[:, :_RANK] * size,
        size[:, None] * last[:_RANK],
        lips,
        lids,
    )


def _looked(landmarker: Landmarker, cropper: Cropper, picture: np.ndarray, beginning: np.ndarray) -> np.ndarray:
    """(L, 2) points after two looks at a picture, the first of them around the true ones."""
    points = beginning.astype(np.float32)
    for _ in range(2):
        region = region_of_points(points)
        patch = Patch.around(picture, region, POINTS_SIZE, _PATCH_MARGIN)
        points, _ = points_of(landmarker, cropper, patch, region)
    return points[:, :2].astype(np.float64)


def _places(person: Pictured) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(K, L, 2) the landmarker's points in the picture's plane, metres; (K, 2) the head's up; (K, 1, 1) metres."""
    camera = Camera.of_picture((PICTURE_PIXELS, PICTURE_PIXELS), VIEW_DEGREES)
    metres = (-person.pose.of(person.points)[:, :, 2].mean(1) / camera.focal)[:, None, None]
    places = (person.pixels - np.asarray(camera.centre)) * [1.0, -1.0] * metres
    return places, person.pose.rotation[:, :2, 1], metres


def _places_of_truth(person: Pictured, metres: np.ndarray) -> np.ndarray:
    """(K, L, 2) where the landmarks are in the picture's plane, metres."""
    camera = Camera.of_picture((PICTURE_PIXELS, PICTURE_PIXELS), VIEW_DEGREES)
    pixels = camera.pixels(person.pose.of(person.points))
    return (pixels - np.asarray(camera.centre)) * [1.0, -1.0] * metres


def _lips_of(places: np.ndarray, true: np.ndarray, ups: np.ndarray) -> tuple[float, float, float]:
    """The values of `Response.lips` by which the gaps of the three middle pairs of inner lips are off least."""
    upper, lower = INNER_LIP_PAIRS[:3].T
    ups = ups / np.linalg.norm(ups, axis=1, keepdims=True)
    gap, wanted = (np.einsum("tpc,tc->tp", part[:, upper] - part[:, lower], ups) for part in (places, true))
    wanted = np.maximum(wanted, 0.0)  # lips that are pressed look like lips that touch
    exact = exact_response()
    best, least = exact.lips, np.inf
    for closed, hidden, width in itertools.product(_NEAREST_LIPS, _HIDDEN_LIPS, _HIDDEN_WIDTHS):
        lips = (closed * 1e-3, hidden * 1e-3, width * 1e-3)
        off = np.abs(replace(exact, lips=lips).true_gap(gap) - wanted).mean()
        if off < least:
            best, least = lips, off
    return best


def _lids_of(places: np.ndarray, true: np.ndarray, ups: np.ndarray) -> np.ndarray:
    """The values of `Response.lids`, by least squares."""
    ups = ups / np.linalg.norm(ups, axis=1, keepdims=True)
    gap, wanted = (np.concatenate([lid_gap(part, pairs, ups) for pairs in LID_PAIRS]) for part in (places, true))
    steps = LID_STEP * np.arange(NUM_LID_STEPS)
    inside = np.clip(wanted, steps[0], steps[-1])  # lids that meet look alike, however far they would go
    share = np.stack([np.interp(inside, steps, row) for row in np.eye(NUM_LID_STEPS)], axis=1)
    # Few pictures show the ends of the curve: its bends are small.
    bends = np.diff(np.eye(NUM_LID_STEPS), 2, axis=0)
    system = share.T @ share + _LID_RIDGE * bends.T @ bends
    shown = np.linalg.solve(system, share.T @ (gap - np.maximum(wanted - inside, 0.0)))
    # What is shown follows the truth: the other way round, what is uncertain would be drawn towards the mean.
    shown = np.maximum.accumulate(shown) + 1e-6 * np.arange(NUM_LID_STEPS)
    return np.interp(steps, shown, steps) + steps - np.clip(steps, shown[0], shown[-1])


def main() -> None:
    """Write the file."""
    folder = find_head(DEFAULT_HEAD)
    model, embedding, landmarker = FaceModel.load(folder), read_embedding(folder), Landmarker()
    people = []
    for number in range(NUM_PEOPLE):
        people.append(pictured_person(model, embedding, landmarker, FIRST_PERSON + number))
        if number % 10 == 9:
            say(f"{number + 1} of {NUM_PEOPLE} people")
    response = learned_response(people, embedding.points(model.faces, np.asarray(model.v_template, np.float64)))
    write_response(response, folder)
    say(f"lips: {', '.join(f'{value * 1e3:.2f}' for value in response.lips)} mm")
    say(f"lids: {', '.join(f'{value * 1e3:.1f}' for value in response.lids)} mm")
    say(f"{folder / RESPONSE_FILE} is written")


if __name__ == "__main__":
    main()
