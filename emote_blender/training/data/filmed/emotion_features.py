"""Emotion features of the faces in a video's frames, by the network that looks at single pictures (spec/EMOTE.md 7)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ....capture.video.crops import Cropper, Patch, Region
from ....capture.video.face_track import FaceTrack
from ....capture.video.frames import VideoFrames
from ....steps import Step, no_step
from ...networks.emotion_network import EmotionNetwork

_MARGIN = 1.25  # side of the crop, in sizes of the face (spec/EMOTE.md 9)
_BATCH = 16


def frame_features(
    network: EmotionNetwork,
    video: Path,
    track: FaceTrack,
    seconds: np.ndarray,
    mirrored: bool = False,
    step: Step = no_step,
) -> np.ndarray:
    """(T, D) features at given times, each of the nearest frame that shows a face.

    Args:
        network: the network.
        video: the file; it is decoded once more.
        track: of the face in it.
        seconds: (T,) times from the beginning of the file.
        mirrored: whether the video is mirrored, as for the track.
        step: called for each batch of frames; it may raise Cancelled.
    """
    seen = np.flatnonzero(np.isfinite(track.points[:, 0, 0]))
    middles = (track.times[seen][1:] + track.times[seen][:-1]) / 2
    used, place = np.unique(seen[np.searchsorted(middles, seconds)], return_inverse=True)
    size = network.config.image_size
    cropper, wanted = Cropper(size), set(used.tolist())
    found, crops = [], []
    for number, frame in enumerate(VideoFrames(video, mirrored)):
        if number in wanted:
            crops.append(_crop(cropper, frame.picture, track.points[number], track.image_size))
        if len(crops) == _BATCH:
            step(number / track.num_frames, "Emotion features")
            found.append(_features(network, crops))
            crops = []
    if crops:
        found.append(_features(network, crops))
    return np.concatenate(found)[place]


def _crop(cropper: Cropper, picture: np.ndarray, points: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """(S, S, 3) float32: the upright square around a face, from 0 to 1.

    Args:
        cropper: for squares of size S.
        picture: (h, w, 3) uint8.
        points: (478, 3) of the face, in pixels of a picture of `image_size`.
        image_size: width and height.
    """
    places = points[:, :2] * (np.array(picture.shape[1::-1]) / image_size)
    low, high = places.min(0), places.max(0)
    x, y = (low + high) / 2
    region = Region(float(x), float(y), _MARGIN * float((high - low).mean()), 0.0)
    return cropper.cut(Patch.around(picture, region, cropper.size), region).copy()


def _features(network: EmotionNetwork, crops: list[np.ndarray]) -> np.ndarray:
    """(N, D) float32 features of crops."""
    with torch.inference_mode():
        images = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
        return network.features(images).numpy()
