"""Settings of the perceptual losses: the table `[perceptual]` of a config file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class PerceptualSettings:
    """`[perceptual]`: the perceptual networks, and how much is rendered for them.

    Rendering less is cheaper and noisier; it is what makes stage 2 possible on a CPU.

    Attributes:
        emotion_network: folder of an emotion network of this project, or the file of the authors' ResNet-50.
        video_emotion: folder of a video emotion network.
        lip_reader: folder of a lip reader of this project, or the file of an external visual speech recogniser.
        image_size: width and height of the pictures, pixels.
        camera: "published" for FLAME in metres, "framing" for another head.
        renderer: backend of `FaceRenderer`.
        render_frames: frames of each window to render, consecutive, from a random place; 0 for all, as published.
        render_every: the perceptual terms are computed at every n-th step only, and weighted n times there, so that
            their weights keep their meaning.
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
