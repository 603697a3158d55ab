"""Differentiable antialiasing of silhouettes: neighbouring pixels are blended where an outline passes between them.

A depth buffer decides each pixel alone. The image then jumps when the outline of a lip passes a pixel's centre, and the
outline has no gradient. Here each outline that passes between the centres of two neighbouring pixels blends their
colours by its distances from the two centres, which is continuous in the vertices. The idea is from Laine et al. 2020,
Modular Primitives for High-Performance Differentiable Rendering, section 3.4. They test the edges of the triangle that
is visible at the pixel; this module tests the edges of the mesh, because triangles can be smaller than pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .rasteriser import Fragments

_DEPTH_SLACK = 1.0  # pixels of depth by which the surface at the inside pixel's centre may lie behind its outline


class MeshEdges(nn.Module):
    """The edges of a mesh and the triangles on both sides of each edge.

    Where more than two triangles meet at an edge, each further pair (or single triangle) counts as another edge.

    Attributes:
        corners: (E, 2) int64 vertices, in the winding order of the first triangle.
        sides: (E, 2) int64 triangles; the second is -1 at a border of the mesh.
    """

    corners: Tensor
    sides: Tensor

    def __init__(self, faces: np.ndarray) -> None:
        super().__init__()
        directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
        owner = np.tile(np.arange(len(faces)), 3)
        # A triangle's edge runs against that of its neighbour.
        low, high = directed.min(1), directed.max(1)
        order = np.lexsort((directed[:, 0] > directed[:, 1], high, low))
        directed, owner, low, high = directed[order], owner[order], low[order], high[order]
        starts = np.flatnonzero(np.concatenate([[True], (low[1:] != low[:-1]) | (high[1:] != high[:-1])])[: len(low)])
        counts = np.diff(np.concatenate([starts, [len(low)]]))
        place = np.arange(len(low)) - np.repeat(starts, counts)
        first = np.flatnonzero(place % 2 == 0)
        paired = first + 1 < len(low)
        paired[paired] = place[first[paired] + 1] % 2 == 1
        sides = np.stack([owner[first], np.where(paired, owner[np.minimum(first + 1, len(low) - 1)], -1)], 1)
        self.register_buffer("corners", torch.from_numpy(directed[first]), persistent=False)
        self.register_buffer("sides", torch.from_numpy(sides), persistent=False)

    def silhouettes(self, points: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """The silhouette edges: one side faces the camera, the other side faces away or does not exist.

        Args:
            points: (N, V, 3) x and y in pixels, and depth.
            faces: (F, 3) int64 triangles.

        Returns:
            (S,) int64 image of each silhouette edge and (S, 2) int64 its corners, in the winding order of the triangle
            that faces the camera.
        """
        a, b, c = (points[..., :2].index_select(1, faces[:, corner]) for corner in range(3))
        ab, ac = b - a, c - a
        facing = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0] < 0
        one = facing[:, self.sides[:, 0]]
        other = facing[:, self.sides[:, 1]] & (self.sides[:, 1] >= 0)
        image, edge = (one != other).nonzero(as_tuple=True)
        corners = self.corners[edge]
        return image, torch.where(one[image, edge].unsqueeze(1), corners, corners.flip(1))


@dataclass(frozen=True, eq=False)
class _Crossings:
    """Where K silhouettes pass between neighbouring pixels.

    Attributes:
        inside: (K,) int64 pixel that shows the surface, counted through all images.
        outside: (K,) int64 its neighbour beyond the silhouette, counted in the same way.
        step: (K,) change of the coordinate from inside to outside, 1 or -1.
        place: (K,) coordinate of the inside pixel along the axis.
        line: (K,) coordinate of both pixels along the other axis.
        start: (K,) int64 first corner of the edge, counted through the vertices of all images.
        end: (K,) int64 second corner.
    """

    inside: Tensor
    outside: Tensor
    step: Tensor
    place: Tensor
    line: Tensor
    start: Tensor
    end: Tensor


def blend_silhouettes(image: Tensor, seen: Fragments, points: Tensor, faces: Tensor, edges: MeshEdges) -> Tensor:
    """(N, D, H, W) the image with silhouettes blended, differentiable in the image and in the points.

    Where several silhouettes pass between the same two pixels, the nearest counts.

    Args:
        image: (N, D, H, W).
        seen: the fragments that the image was made of.
        points: (N, V, 3) as given to `rasteriser.rasterise`: x and y in pixels, and depth.
        faces: (F, 3) int64 triangles.
        edges: the edges of these triangles.
    """
    num_images, height, width = seen.size
    colors = image.permute(0, 2, 3, 1).reshape(-1, image.shape[1])  # (N H W, D)
    flat_points = points.flatten(0, 1)
    with torch.no_grad():
        depth = points.new_full((num_images * height * width,), torch.inf)
        depth[seen.pixel] = seen.interpolate(points[..., 2:].detach()).squeeze(1)
        number, corners = edges.silhouettes(points.detach(), faces)
        corners = corners + (number * points.shape[1]).unsqueeze(1)
    blended = colors
    for axis in (0, 1):
        with torch.no_grad():
            crossings = _crossings(flat_points.detach(), number, corners, depth, axis, seen.size)
        blended = blended + _shares(colors, flat_points, crossings, axis)
    return blended.view(num_images, height, width, -1).permute(0, 3, 1, 2)


def _crossings(
    points: Tensor, number: Tensor, corners: Tensor, depth: Tensor, axis: int, size: tuple[int, int, int]
) -> _Crossings:
    """The visible crossings between neighbouring pixels along x (axis 0) or y (axis 1)."""
    _, height, width = size
    layout = ((1, width), (width, height))  # stride and number of pixels along x and along y
    (stride, num_places), (line_stride, num_lines) = layout if axis == 0 else layout[::-1]
    start, end = points[corners[:, 0]], points[corners[:, 1]]
    across = 1 - axis
    low = torch.minimum(start[:, across], end[:, across]).nan_to_num(0.0).ceil().clamp(0, num_lines)
    high = torch.maximum(start[:, across], end[:, across]).nan_to_num(0.0).ceil().clamp(0, num_lines)
    counts = (high - low).long()  # half open: a corner on a line belongs to one of its edges only
    owner = torch.repeat_interleave(counts)
    offset = torch.arange(len(owner), device=owner.device) - (counts.cumsum(0) - counts)[owner]
    line = low[owner] + offset
    part = (line - start[owner, across]) / (end - start)[owner, across]
    crossing = start[owner, axis] + part * (end - start)[owner, axis]
    crossing_depth = start[owner, 2] + part * (end - start)[owner, 2]
    lower = crossing.floor()
    kept = (lower >= 0) & (lower < num_places - 1)  # False for NaN too
    owner, line, lower, crossing_depth = owner[kept], line[kept], lower[kept], crossing_depth[kept]

    pair = number[owner] * (height * width) + line.long() * line_stride + lower.long() * stride
    downwards = end[owner, across] > start[owner, across]
    grows = downwards == (axis == 0)  # the surface is on the side of the larger coordinate
    inside, outside = pair + grows * stride, pair + ~grows * stride
    visible = (crossing_depth < depth[outside]) & (depth[inside] <= crossing_depth + _DEPTH_SLACK)
    nearest = torch.full_like(depth, torch.inf)
    nearest.scatter_reduce_(0, pair[visible], crossing_depth[visible], "amin")
    visible &= crossing_depth <= nearest[pair]
    owner, grows = owner[visible], grows[visible]
    step = torch.where(grows, -1.0, 1.0).to(points)
    place = lower[visible] + grows
    chosen = corners[owner]
    return _Crossings(inside[visible], outside[visible], step, place, line[visible], chosen[:, 0], chosen[:, 1])


def _shares(colors: Tensor, points: Tensor, crossings: _Crossings, axis: int) -> Tensor:
    """(N * H * W, D) change of the colours: a pixel that a silhouette crosses takes a share of its neighbour's."""
    start, end = (points.index_select(0, corner)[:, :2] for corner in (crossings.start, crossings.end))
    along = end - start
    part = (crossings.line - start[:, 1 - axis]) / along[:, 1 - axis]
    crossing = start[:, axis] + part * along[:, axis]
    distance = (crossing - crossings.place) * crossings.step  # from the inside pixel's centre, 0 to 1
    beyond = distance.detach() > 0.5
    target = torch.where(beyond, crossings.outside, crossings.inside)
    source = torch.where(beyond, crossings.inside, crossings.outside)
    # A slanted edge crosses between neighbours along x and along y; its direction weights the two.
    share = (distance - 0.5).abs() * along[:, 1 - axis] ** 2 / (along**2).sum(1)
    difference = colors.index_select(0, source) - colors.index_select(0, target)
    return torch.zeros_like(colors).index_add(0, target, share.unsqueeze(1) * difference)
