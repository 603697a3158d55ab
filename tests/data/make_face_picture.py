"""Render tests/data/open_head_face.png: the open head at rest, from the front, on grey. Needs torch."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel
from emote_blender.training.rendering.camera import Camera
from emote_blender.training.rendering.posed_face import PosedFace
from emote_blender.training.rendering.renderer import FaceRenderer
from emote_blender.training.rendering.shading import region_albedo

SIZE = 240


def render_face(yaw: float = 0.0) -> np.ndarray:
    """(240, 240, 3) uint8 picture of the open head, turned to a side by an angle in radians."""
    head = FaceModel.load(find_head("open_head"))
    camera = Camera.framing(head, margin=0.9, head_pose=(0.0, yaw, 0.0))
    renderer = FaceRenderer(head.faces, SIZE, camera=camera, albedo=region_albedo(head), background=0.35)
    with torch.inference_mode():
        vertices = PosedFace(head)(torch.zeros(1, 1, head.num_expression + 3))[0]
        picture = renderer(vertices)[0].permute(1, 2, 0).numpy()
    return (picture * 255).round().astype(np.uint8)


if __name__ == "__main__":
    Image.fromarray(render_face()).save(Path(__file__).with_name("open_head_face.png"), optimize=True)
