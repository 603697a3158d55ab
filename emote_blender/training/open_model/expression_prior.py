"""Measure which expressions occur together: mean and covariance of the open head's components and of its jaw.

The command is `python -m emote_blender.training.open_model.expression_prior`. It writes the file by which video capture
prefers expressions that faces make (`capture/video/fit/prior.py`): random phones, spoken with every emotion, intensity
and speaker of the corpus by its rules. The file is the same every time.
"""

from __future__ import annotations

import itertools

import numpy as np

from ...capture.video.fit.prior import PRIOR_FILE
from ...files.console_progress import say
from ...files.paths import DEFAULT_HEAD, find_head
from ...files.safetensors_file import write_tensors
from ...motion_tools.timing import MOTION_FPS
from ...retarget.signals import OPEN_NAMES
from ..corpus.motion.articulation import smooth, tracks
from ..corpus.motion.emotion_styles import EMOTIONS, EXPRESSION_NAMES, SPEAKERS, face
from ..corpus.phones import CLASSES, SILENCE

_SECONDS = 20  # of speech for each emotion, intensity and speaker
_PHONE_SECONDS = (0.05, 0.16)
_PHONES_PER_PHRASE, _PAUSE_SECONDS = 18, 0.6
_INTENSITIES = (0.0, 1.0, 2.0)


def measure() -> tuple[np.ndarray, np.ndarray]:
    """(53,) mean and (53, 53) covariance of the components in the order of OPEN_NAMES and of the jaw, radians."""
    order = [EXPRESSION_NAMES.index(name) for name in OPEN_NAMES]
    poses = []
    for seed, (emotion, intensity, speaker) in enumerate(itertools.product(EMOTIONS, _INTENSITIES, SPEAKERS)):
        phones, loudness = random_speech(np.random.default_rng(seed))
        expression, jaw = face(tracks(phones, len(loudness)), loudness, emotion, intensity, speaker)
        poses.append(np.concatenate([expression[:, order], jaw], axis=1))
    all_poses = np.concatenate(poses).astype(np.float64)
    return all_poses.mean(0), np.cov(all_poses.T)


def random_speech(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(P, 3) random phones with times, and (T,) loudness."""
    num_frames = _SECONDS * MOTION_FPS
    spoken = [number for number in range(len(CLASSES)) if number != SILENCE]
    phones, time = [], 0.3
    while time < _SECONDS - 1.0:
        for _ in range(_PHONES_PER_PHRASE):
            end = time + random.uniform(*_PHONE_SECONDS)
            phones.append((random.choice(spoken), time, end))
            time = end
        time += _PAUSE_SECONDS
    loudness = np.zeros(num_frames)
    for _, start, end in phones:
        loudness[int(start * MOTION_FPS) : int(end * MOTION_FPS) + 1] = random.uniform(0.6, 1.0)
    return np.array(phones), smooth(loudness, 1.0).astype(np.float32)


def main() -> None:
    """Write the file."""
    mean, covariance = measure()
    path = find_head(DEFAULT_HEAD) / PRIOR_FILE
    write_tensors(path, {"mean": mean.astype(np.float32), "covariance": covariance.astype(np.float32)})
    say(f"{path}: {len(mean)} components")


if __name__ == "__main__":
    main()
