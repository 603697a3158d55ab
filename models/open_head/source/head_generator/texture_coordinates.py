"""Texture coordinates: a cylinder unwrap of the skin with a seam at the back, and the other parts in a strip below."""

import numpy as np

STRIP_HEIGHT = 0.15


def quad_uvs(mesh):
    """(Q, 4, 2) texture coordinates of the quads' corners, 0 to 1."""
    x, y, z = mesh.vertices.T
    around, up = 0.5 + np.arctan2(x, z + 0.03) / (2 * np.pi), (y + 0.20) / 0.36
    uv = np.stack([around[mesh.quads], up[mesh.quads]], -1)
    over_seam = np.ptp(uv[..., 0], axis=1) > 0.5
    uv[over_seam, :, 0] = np.where(uv[over_seam, :, 0] < 0.5, uv[over_seam, :, 0] + 1, uv[over_seam, :, 0])
    uv[..., 0] = np.clip(uv[..., 0], 0, 1.05) / 1.05
    uv[..., 1] = STRIP_HEIGHT + 0.85 * np.clip(uv[..., 1], 0, 1)
    parts = [name for name in mesh.ranges if name != "skin"]
    for i, name in enumerate(parts):
        vertices = mesh.vertices[mesh.ranges[name]]
        low, high = vertices.min(0), vertices.max(0)
        quads = mesh.in_part(name)[mesh.quads[:, 0]]
        place = (mesh.vertices[mesh.quads[quads]] - low) / (high - low + 1e-9)
        uv[quads, :, 0] = (i + 0.05 + 0.9 * place[..., 0]) / len(parts)
        uv[quads, :, 1] = 0.005 + 0.135 * place[..., 1]
    return uv
