"""The interface between the pipeline and the engines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import numpy as np

from ..sample_store import Samples
from ..speech_model.config import EMOTEConfig


class ClipStatistics(Protocol):
    """Statistics of a clip, by which its windows are encoded."""

    def from_frame(self, frame: int) -> ClipStatistics:
        """The statistics for a window that begins at a frame of motion of the clip."""
        ...


class Engine(ABC):
    """A speech model, ready to run. Arrays are float32; one engine may be used from any thread.

    Attributes:
        config: the model's configuration.
    """

    config: EMOTEConfig

    @abstractmethod
    def clip_statistics(self, samples: Samples) -> ClipStatistics:
        """Statistics of a whole clip (N,), needed to encode windows of it; read in pieces."""

    @abstractmethod
    def encode(
        self,
        samples: np.ndarray,
        num_frames: int,
        statistics: ClipStatistics | None = None,
        phones: np.ndarray | None = None,
    ) -> np.ndarray:
        """Audio features (T, D) of samples (T * samples per frame,) in [-1, 1].

        Args:
            samples: at the model's sample rate.
            num_frames: T.
            statistics: statistics of the clip from the frame on at which this window of it begins (`from_frame`); if
                None, the samples are a whole clip.
            phones: (2 T, classes) given phones, from a transcript, for a model with a phone head: rows that sum to 1
                replace the posteriors, rows of zeros keep them.
        """

    @abstractmethod
    def phone_posteriors(
        self, samples: np.ndarray, num_frames: int, statistics: ClipStatistics | None = None
    ) -> np.ndarray:
        """Probabilities (2 T, classes) of the phone classes at 50 Hz, of a model with a phone head."""

    @abstractmethod
    def motion(self, features: np.ndarray, condition: np.ndarray) -> np.ndarray:
        """Expression coefficients and jaw axis-angle in radians (T, E + 3), of features (T, D) and condition (T, C).

        The condition's columns are emotions, intensities, speakers.
        """
