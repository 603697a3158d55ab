"""The differentiable renderer of the perceptual losses: a mesh to a shaded picture (spec/EMOTE.md 6, Renderer).

The official one rasterises with PyTorch3D and uses the skin of the Basel face model. Here the rasteriser is our own and
the colours are the head's (`shading.region_albedo`).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from .antialiasing import MeshEdges, blend_silhouettes
from .camera import FIXED_CAMERA, Camera
from .rasteriser import Fragments, fragments, rasterise
from .shading import lamps_light, sphere_harmonics, vertex_normals

Backend = Literal["auto", "own", "nvdiffrast"]
GREY = 0.6


class FaceRenderer(nn.Module):
    """Renders a mesh of fixed triangles under a fixed camera and a fixed light.

    Args:
        faces: (F, 3) triangles to draw, counter-clockwise from outside.
        image_size: width and height, pixels.
        backend: what finds the visible triangles. "nvdiffrast" needs that package and CUDA; "auto" uses it if both are
            available. The gradients come from the same code with each backend.
        camera: `FIXED_CAMERA` for FLAME, `Camera.framing(face_model)` for another head.
        albedo: (V, 3) colours of the vertices (`shading.region_albedo`), one colour (3,), or one grey; grey 0.6 if
            None.
        light: (9, 3) coefficients of `shading.sphere_harmonics`, in the camera's frame; `lamps_light()` if None.
        background: grey of pixels that no triangle covers.
        antialias: blend pixels along silhouettes. This gives silhouettes a gradient, such as the border between a lip
            and the dark inside of the mouth. Without it only the inside of triangles has one.

    Raises:
        ValueError: the backend is unknown or not installed, or albedo or light have another shape.
    """

    faces: Tensor
    albedo: Tensor
    light: Tensor

    def __init__(
        self,
        faces: np.ndarray,
        image_size: int = 224,
        backend: Backend = "auto",
        camera: Camera = FIXED_CAMERA,
        albedo: np.ndarray | float | None = None,
        light: np.ndarray | None = None,
        background: float = 0.0,
        antialias: bool = True,
    ) -> None:
        super().__init__()
        if backend not in ("auto", "own", "nvdiffrast"):
            raise ValueError(f"backend is '{backend}', expected auto, own or nvdiffrast")
        if backend == "nvdiffrast" and find_spec("nvdiffrast") is None:
            raise ValueError("backend is 'nvdiffrast', but that package is not installed")
        colors = np.atleast_1d(np.asarray(GREY if albedo is None else albedo, np.float32))
        if colors.shape[-1] not in (1, 3) or colors.ndim > 2:
            raise ValueError(f"expected an albedo (V, 3), (3,) or a number, found {colors.shape}")
        light = lamps_light() if light is None else np.asarray(light)
        if light.shape != (9, 3):
            raise ValueError(f"expected a light (9, 3), found {light.shape}")
        self.image_size, self.backend, self.camera = image_size, backend, camera
        self.background, self.antialias = background, antialias
        self.edges = MeshEdges(faces)
        self.register_buffer("faces", torch.from_numpy(np.array(faces, np.int64)), persistent=False)
        self.register_buffer("albedo", torch.from_numpy(colors), persistent=False)
        self.register_buffer("light", torch.from_numpy(light.astype(np.float32)), persistent=False)
        self._context = None

    def forward(self, vertices: Tensor, corner: Tensor | None = None, size: int | None = None) -> Tensor:
        """(N, 3, image_size, image_size) pictures in [0, 1] of vertices (N, V, 3) in metres, y up, face along +z.

        Autocast is off, because half precision would be wrong by half a pixel. The pictures are float64 if the vertices
        are, else float32.

        Args:
            vertices: (N, V, 3) metres.
            corner: (N, 2) where the centre of each picture's top left pixel lies in the whole image, in its pixels,
                x before y. It may lie between pixels or outside. None: the whole image is drawn.
            size: width and height of the part that is drawn, pixels; None: `image_size`.
        """
        with torch.autocast(vertices.device.type, enabled=False):
            vertices = vertices if vertices.dtype == torch.float64 else vertices.float()
            return self._draw(vertices, corner, size or self.image_size)

    def _draw(self, vertices: Tensor, corner: Tensor | None, size: int) -> Tensor:
        turned = vertices @ self.camera.rotation(vertices)
        points = self.camera.pixels(turned, self.image_size)
        if corner is not None:
            points = torch.cat([points[..., :2] - corner.to(points).unsqueeze(1), points[..., 2:]], -1)
        seen = self._rasterise(points, size)
        normals = seen.interpolate(vertex_normals(turned, self.faces))
        brightness = sphere_harmonics(nn.functional.normalize(normals, dim=-1)) @ self.light.to(vertices)
        image = seen.image(self._colors(seen) * brightness, self.background)
        if self.antialias:
            image = blend_silhouettes(image, seen, points, self.faces, self.edges)
        return image.clamp(0, 1)

    def project(self, points: Tensor) -> Tensor:
        """(N, P, 2) pixel coordinates of points (N, P, 3) in metres; the centre of the top left pixel is (0, 0)."""
        with torch.autocast(points.device.type, enabled=False):
            points = points if points.dtype == torch.float64 else points.float()
            return self.camera.pixels(points @ self.camera.rotation(points), self.image_size)[..., :2]

    def _colors(self, seen: Fragments) -> Tensor:
        """(P, 3), (3,) or (1,) albedo at the covered pixels."""
        albedo = self.albedo.to(seen.barycentric)
        if albedo.ndim == 1:
            return albedo
        return seen.weighted(albedo, self.faces.index_select(0, seen.face))

    def _rasterise(self, points: Tensor, size: int) -> Fragments:
        wanted = self.backend == "nvdiffrast" or (self.backend == "auto" and points.is_cuda)
        if not wanted or (self.backend == "auto" and find_spec("nvdiffrast") is None):
            return rasterise(points, self.faces, size, size)
        if not points.is_cuda:
            raise ValueError(f"nvdiffrast draws on CUDA, the vertices are on {points.device}")
        with torch.no_grad():
            pixel, face = self._nvdiffrast_faces(points.detach(), size)
        return fragments(points, self.faces, pixel, face, (len(points), size, size))

    def _nvdiffrast_faces(self, points: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """As `rasteriser.visible_faces`. nvdiffrast has no culling: pixels that show a back face are left empty."""
        import nvdiffrast.torch as nvdiffrast

        if self._context is None:
            self._context = nvdiffrast.RasterizeCudaContext(points.device)
        depth = points[..., 2]
        least, most = depth.amin(1, keepdim=True), depth.amax(1, keepdim=True)
        depth = 1.8 * (depth - least) / (most - least).clamp(min=1e-12) - 0.9  # within the clip space's -1 to 1
        place = (points[..., :2] + 0.5) * (2 / size) - 1  # nvdiffrast's row 0 is at y = -1, ours at the top
        clip = torch.cat([place, depth.unsqueeze(-1), torch.ones_like(depth).unsqueeze(-1)], -1).float().contiguous()
        drawn, _ = nvdiffrast.rasterize(self._context, clip, self.faces.int(), resolution=[size, size])
        number = drawn[..., 3].reshape(-1).long() - 1  # 0 means nothing
        pixel = (number >= 0).nonzero().squeeze(1)
        face = number[pixel]
        image = pixel // size**2
        a, b, c = (points[image, self.faces[face, corner], :2] for corner in range(3))
        facing = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
        return pixel[facing], face[facing]
