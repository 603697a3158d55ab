"""A batched rasteriser in torch, on any device: the visible triangle at each pixel and the position within it.

Pixel coordinates: x to the right, y down, the centre of the top left pixel at (0, 0). Depth grows away from the camera.
The depth buffer decides which triangle is visible, without a gradient. The barycentric coordinates have a gradient, so
an image of interpolated attributes moves with the vertices. `antialiasing` gives silhouettes theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_FACE_BITS = 31  # of the 62 bits of a key in the depth buffer; the others are the depth
_LARGEST_IMAGE = 1 << 22  # pixels up to which float32 splits a pixel's number (plus a half) into rows exactly
_NOTHING = torch.iinfo(torch.int64).max


@dataclass(frozen=True, eq=False)
class Fragments:
    """What is visible at the P covered pixels of all images.

    Attributes:
        pixel: (P,) int64 index into the images laid out as (N, height, width), ascending.
        face: (P,) int64 triangle.
        corners: (P, 3) int64 vertices of the triangle, counted through the vertices (N, V) of all images.
        barycentric: (P, 3) weights of the corners, which sum to 1, differentiable in the vertices.
        size: N, height, width.
    """

    pixel: Tensor
    face: Tensor
    corners: Tensor
    barycentric: Tensor
    size: tuple[int, int, int]

    def interpolate(self, attributes: Tensor) -> Tensor:
        """(P, D) values at the pixels, interpolated from attributes (N, V, D) of the vertices; differentiable."""
        return self.weighted(attributes.flatten(0, 1), self.corners)

    def weighted(self, values: Tensor, corners: Tensor) -> Tensor:
        """(P, D) weighted sums of values (K, D) at the corners (P, 3)."""
        weights = self.barycentric.unsqueeze(-1).unbind(1)
        first, second, third = (weights[k] * values.index_select(0, corners[:, k]) for k in range(3))
        return first + second + third

    def image(self, values: Tensor, background: float = 0.0) -> Tensor:
        """(N, D, height, width) images of values (P, D)."""
        num_images, height, width = self.size
        image = values.new_full((num_images * height * width, values.shape[-1]), background)
        image = image.index_copy(0, self.pixel, values)
        return image.view(num_images, height, width, -1).permute(0, 3, 1, 2)


def rasterise(points: Tensor, faces: Tensor, height: int, width: int) -> Fragments:
    """The nearest triangle that faces the camera, at each pixel's centre.

    A pixel on the edge between two triangles belongs to the nearer one, or at equal depth to the first. Triangles with
    non-finite coordinates are not drawn.

    Args:
        points: (N, V, 3) x and y in pixels, depth in any unit; float32 or float64.
        faces: (F, 3) int64 triangles, counter-clockwise as seen from their front.
        height: pixels.
        width: pixels.

    Raises:
        ValueError: the points have another shape, or the image is too large.
    """
    if points.ndim != 3 or points.shape[-1] != 3:
        raise ValueError(f"expected points (N, V, 3), found {tuple(points.shape)}")
    if height * width > _LARGEST_IMAGE:
        raise ValueError(f"expected images of at most {_LARGEST_IMAGE} pixels, found {height} x {width}")
    with torch.no_grad():
        pixel, face = visible_faces(points.detach(), faces, height, width)
    return fragments(points, faces, pixel, face, (len(points), height, width))


def fragments(points: Tensor, faces: Tensor, pixel: Tensor, face: Tensor, size: tuple[int, int, int]) -> Fragments:
    """The fragments of faces (P,) that are visible at pixels (P,), with their barycentric coordinates."""
    _, height, width = size
    corners = faces.index_select(0, face) + (pixel // (height * width) * points.shape[1]).unsqueeze(1)
    place = torch.stack([pixel % width, pixel // width % height]).to(points.dtype)  # (2, P)
    flat = points[..., :2].flatten(0, 1)
    (ax, ay), (bx, by), (cx, cy) = (flat.index_select(0, corner).T - place for corner in corners.unbind(1))
    areas = torch.stack([cx * by - cy * bx, ax * cy - ay * cx, bx * ay - by * ax], 1)  # opposite each corner, twice
    return Fragments(pixel, face, corners, areas / areas.sum(1, keepdim=True), size)


def visible_faces(points: Tensor, faces: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """(P,) covered pixels of the images (N, height, width), and (P,) the face that each shows; both int64."""
    nearest = torch.full((len(points) * height * width,), _NOTHING, device=points.device)
    images = max(1, _at_once(points.device) // max(1, len(faces)))
    for first in range(0, len(points), images):
        part = nearest[first * height * width : (first + images) * height * width]
        _draw(part, points[first : first + images], faces, height, width)
    pixel = (nearest != _NOTHING).nonzero().squeeze(1)
    return pixel, nearest[pixel] & ((1 << _FACE_BITS) - 1)


def _at_once(device: torch.device) -> int:
    """The number of triangles, and of candidate pixels, to process together: as many as fit a processor's cache."""
    return 100_000 if device.type == "cpu" else 10_000_000


def _draw(nearest: Tensor, points: Tensor, faces: Tensor, height: int, width: int) -> None:
    """Write the least key of every pixel into `nearest`; a key is the depth followed by the face's number."""
    a, b, c = (points.index_select(1, faces[:, corner]) for corner in range(3))  # (N, F, 3) each
    ab, ac = b[..., :2] - a[..., :2], c[..., :2] - a[..., :2]
    facing = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0] < 0  # y points down
    low = torch.minimum(torch.minimum(a, b), c)[..., :2].ceil().clamp(min=0)
    high = torch.maximum(torch.maximum(a, b), c)[..., :2].floor()
    limit = torch.tensor([width - 1, height - 1], dtype=high.dtype, device=high.device)
    spans = torch.minimum(high, limit) - low + 1  # pixel centres; most triangles of a fine mesh contain none
    drawn = (facing & (spans[..., 0] > 0) & (spans[..., 1] > 0)).view(-1).nonzero().squeeze(1)
    corners = torch.cat([corner.view(-1, 3).index_select(0, drawn) for corner in (a, b, c)], 1).T.contiguous()
    finite = torch.isfinite(corners).all(0)
    drawn, corners = drawn[finite], corners[:, finite]
    low, spans = (part.view(-1, 2).index_select(0, drawn).T.contiguous() for part in (low, spans))

    image, face = drawn // max(1, len(faces)), drawn % max(1, len(faces))
    depths = torch.where(torch.isfinite(points[..., 2]), points[..., 2], 0)
    least, most = depths.amin(1)[image], depths.amax(1)[image]
    # Depth relative to the head's own depth, later in 2^30 steps: as an integer it forms one key with the face number.
    corners[2::3] = (corners[2::3] - least) / (most - least).clamp(min=torch.finfo(points.dtype).tiny)

    ends = (spans[0] * spans[1]).long().cumsum(0)
    groups = ((ends - 1) // _at_once(points.device)).unique_consecutive(return_counts=True)[1].tolist()
    first_pixel = image * (height * width)
    parts = [part.split(groups, -1) for part in (corners, low, spans, first_pixel, face)]
    for group in zip(*parts):
        _draw_group(nearest, width, *group)


def _draw_group(
    nearest: Tensor, width: int, corners: Tensor, low: Tensor, spans: Tensor, first_pixel: Tensor, face: Tensor
) -> None:
    """Draw K triangles with corners (9, K) and lowest pixel (2, K), which span (2, K) pixels in images from (K,) on."""
    counts = (spans[0] * spans[1]).long()
    owner = torch.repeat_interleave(counts)
    offset = torch.arange(len(owner), device=owner.device) - (counts.cumsum(0) - counts).index_select(0, owner)
    span = spans[0].index_select(0, owner)
    offset = offset.to(corners.dtype)
    row = ((offset + 0.5) / span).floor()  # exact up to _LARGEST_IMAGE pixels
    x, y = low[0].index_select(0, owner) + (offset - row * span), low[1].index_select(0, owner) + row
    ax, ay, az, bx, by, bz, cx, cy, cz = (corner.index_select(0, owner) for corner in corners)
    ax, bx, cx, ay, by, cy = ax - x, bx - x, cx - x, ay - y, by - y, cy - y
    # The edge function has exactly the opposite sign for the triangle on the other side, so no pixel is missed.
    a_weight, b_weight, c_weight = cx * by - cy * bx, ax * cy - ay * cx, bx * ay - by * ax
    total = a_weight + b_weight + c_weight  # 0 where a triangle is too small for the dtype
    inside = ((total > 0) & (a_weight >= 0) & (b_weight >= 0) & (c_weight >= 0)).nonzero().squeeze(1)
    depth = (a_weight * az + b_weight * bz + c_weight * cz) / total
    rank = (depth.clamp(0, 1) * (1 << 30)).long()
    pixel = first_pixel.index_select(0, owner) + (y * width + x).long()
    key = rank << _FACE_BITS | face.index_select(0, owner)
    nearest.scatter_reduce_(0, pixel.index_select(0, inside), key.index_select(0, inside), "amin")
