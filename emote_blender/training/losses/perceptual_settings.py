"""Settings of the perceptual losses: the table `[perceptual]` of a config file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class PerceptualSettings:
    """`[perceptual]`: the networks that watch, and how much they are shown.

    emotion_network, video_emotion, lip_reader: folders of networks that this project trained; emotion_network may be
    the file of the authors' ResNet-50, and lip_reader that of an external visual speech recogniser.
    image_size: pixels, square. camera: "published", for FLAME in metres, or "framing" for the face of another head.
    render_frames: frames of each window that are rendered, a run at a random place; 0: all of them, as published.
    render_every: the perceptual terms are measured on every so many-th step, and count that many times there, so that
    a weight means the same. Rendering fewer is cheaper and noisier; on a CPU it makes stage 2 possible at all.
    """

    emotion_network: Path | None = None
    video_emotion: Path | None = None
    lip_reader: Path | None = None
    image_size: int = 224
    camera: Literal["published", "framing"] = "published"
    renderer: Literal["auto", "own", "nvdiffrast"] = "auto"
    render_frames: int = 0
    render_every: int = 1

    def __post_init__(self) -> None:
        if self.render_frames < 0 or self.render_every < 1 or self.image_size < 16:
            raise ValueError("render_frames must be 0 or more, render_every at least 1, image_size at least 16")
