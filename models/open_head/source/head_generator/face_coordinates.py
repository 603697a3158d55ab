"""Where on the face each vertex lies, and smooth fields over it: what expressions and identities are written in."""

import numpy as np
from scipy.spatial import cKDTree

from .interpolation import MIRROR, gaussian, smooth_ramp, smoothstep
from .mouth import CORNER_INDEX, LIP_POSITION, LIP_SIDE, MOUTH_HALF_WIDTH, contact_height
from .surface import head_distance, normals
from .topology import MOUTH_LOOP

MM = 1e-3
NO_RING = -1
MOUTH_BACK_RING = 14
INNER_MOUTH_FOLLOW = {9: 0.75, 10: 0.35, 11: 0.10, 12: 0.0, 13: 0.0, 14: 0.0}
"""How far rings inside the mouth follow fields of the face; 1 for all other skin, 0 for other parts."""
BROW_NEIGHBOURS, BROW_REACH = 12, 3.5 * MM
SLIDE_STEPS = 3


class FaceCoordinates:
    """Anatomical coordinates of every vertex of a HeadMesh, and the fields made of them.

    Attributes:
        positions: (V, 3) metres.
        is_skin: (V,) bool.
        row, column: (V,) of the grid; row is NO_RING elsewhere.
        mouth_ring, lip_position, lip_side: (V,) ring about the mouth, -1 to 1 along the lips, +1 upper / -1 lower.
        eye_ring, eye_side, eye_index: (V,) ring about an eye, +1 left / -1 right, loop index.
        lip_distance: (V,) metres to the line where the lips touch.
        mouth_x: (V,) x in half widths of the mouth.
        upper_share: (V,) 1 above the line where the lips touch, 0 below, a ramp between.
        follow: (V,) how far a vertex follows fields of the face.
    """

    def __init__(self, mesh, rig):
        self.mesh, self.rig = mesh, rig
        self.positions = mesh.vertices
        self.is_skin = mesh.in_part("skin")
        self._read_keys()
        self._measure_lips()
        self.follow = self.is_skin.astype(float)
        for ring, share in INNER_MOUTH_FOLLOW.items():
            self.follow[self.mouth_ring == ring] = share
        self.lip_corner = self.positions[mesh.skin.index["mouth", 7, CORNER_INDEX]].copy()
        """(3,) the left corner of the mouth."""
        self.normals = normals(self.positions)
        self._rest_distance = head_distance(self.positions[self.slides])
        self._brow_bindings = [self._bind_brow(name) for name in ("brow_left", "brow_right")]

    def _read_keys(self):
        num_vertices = len(self.positions)
        self.row, self.column = np.full(num_vertices, NO_RING), np.full(num_vertices, 99)
        self.mouth_ring, self.eye_ring = np.full(num_vertices, NO_RING), np.full(num_vertices, NO_RING)
        self.lip_position, self.lip_side = np.zeros(num_vertices), np.zeros(num_vertices)
        self.eye_side, self.eye_index = np.zeros(num_vertices), np.zeros(num_vertices, int)
        hidden = np.zeros(num_vertices, bool)
        for vertex, key in enumerate(self.mesh.skin.keys):
            kind = key[0]
            if kind == "g":
                self.row[vertex], self.column[vertex] = key[1], key[2]
            elif kind == "mouth":
                self.mouth_ring[vertex] = key[1]
                self.lip_position[vertex], self.lip_side[vertex] = LIP_POSITION[key[2]], LIP_SIDE[key[2]]
                hidden[vertex] = key[1] > 8
            elif kind == "eye":
                self.eye_side[vertex], self.eye_ring[vertex], self.eye_index[vertex] = key[1:]
                hidden[vertex] = key[2] >= 3
            elif kind == "nos":
                hidden[vertex] = key[2] > 1
            elif kind in ("mouthcap", "earcap", "noscap"):
                hidden[vertex] = True
                if kind == "mouthcap":
                    self.mouth_ring[vertex] = MOUTH_BACK_RING
        self.slides = self.is_skin & ~hidden
        """(V,) bool: skin that can slide along the sculpt, all but lids, nostrils and the inside of the mouth."""

    def _measure_lips(self):
        contact = self.positions[[self.mesh.skin.index["mouth", 7, k] for k in range(MOUTH_LOOP)]]
        following = np.roll(contact, -1, 0)
        line = np.concatenate([contact * (1 - t) + following * t for t in np.linspace(0, 1, 6)[:-1]])
        self.lip_distance = cKDTree(line).query(self.positions)[0]
        self.mouth_x = np.clip(self.positions[:, 0] / MOUTH_HALF_WIDTH, -1.6, 1.6)
        height = self.positions[:, 1] - contact_height(np.clip(self.mouth_x, -1, 1))
        share = smoothstep(np.clip(0.5 + 0.5 * height / (0.45 * self.lip_distance + 1e-5), 0, 1))
        on_lips = self.mouth_ring >= 3
        share[on_lips & (self.lip_side > 0)] = 1
        share[on_lips & (self.lip_side < 0)] = 0
        share[on_lips & (np.abs(self.lip_position) > 0.999)] = 0.5  # the corners belong to both lips
        self.upper_share = share

    def _bind_brow(self, name):
        """Vertices of a brow, (N, 12) skin vertices near each, and their weights."""
        skin = np.where(self.slides)[0]
        own = np.arange(len(self.positions))[self.mesh.ranges[name]]
        distance, nearest = cKDTree(self.positions[skin]).query(self.positions[own], BROW_NEIGHBOURS)
        weight = gaussian(distance, BROW_REACH) + 1e-9
        return own, skin[nearest], weight / weight.sum(1, keepdims=True)

    # ---- fields: (V,) weights

    def bump(self, centre, radii, power=2.0):
        """Returns a Gaussian bump on the skin and inner lips; centre (3,) and radii (scalar or 3) in metres."""
        radii = np.broadcast_to(np.asarray(radii, float), 3)
        distance = np.sqrt((((self.positions - np.asarray(centre)) / radii) ** 2).sum(1))
        return np.exp(-0.5 * distance**power) * self.follow

    def near_lips(self, reach):
        """Returns 1 where the lips touch, fading over `reach` metres."""
        return gaussian(self.lip_distance, reach) * self.follow

    def left_half(self, softness=0.45):
        """Returns 1 on the left half of the mouth, 0 on the right; with its mirror image it sums to 1."""
        return smooth_ramp(-softness, softness, self.mouth_x)

    def near_corner(self, reach_mm=13.0, stretch=1.25):
        """Returns a bump about the left corner of the mouth."""
        offset = (self.positions - self.lip_corner) / np.array([reach_mm * stretch, reach_mm, reach_mm * 1.4]) / MM
        return np.exp(-0.5 * (offset**2).sum(1)) * self.follow

    # ---- displacements: (V, 3) metres

    def zeros(self):
        """Returns no displacement."""
        return np.zeros_like(self.positions)

    def along(self, weight, vector_mm):
        """Returns weight times a vector in millimetres."""
        return weight[:, None] * np.asarray(vector_mm, float) * MM

    def outwards(self, weight_mm):
        """Returns displacements along the surface normals, in millimetres."""
        return self.normals * (weight_mm * MM)[:, None]

    def slide(self, displacement, amount=1.0):
        """Returns the displacement with moved skin put back to its distance from the sculpt (wholly at amount 1)."""
        moved = np.linalg.norm(displacement[self.slides], axis=1) > 1e-7
        vertices = np.where(self.slides)[0][moved]
        rest = self._rest_distance[moved]
        points = self.positions[vertices] + displacement[vertices]
        for _ in range(SLIDE_STEPS):
            points = points - amount * (head_distance(points) - rest)[:, None] * normals(points)
        result = displacement.copy()
        result[vertices] = points - self.positions[vertices]
        return result

    def mirrored(self, displacement):
        """Returns the mirror image of a displacement."""
        return displacement[self.mesh.mirror] * MIRROR

    def carry_brows(self, displacement):
        """Returns the displacement with the brows riding on the skin."""
        result = displacement.copy()
        for brow, skin, weight in self._brow_bindings:
            result[brow] = np.einsum("nk,nkd->nd", weight, displacement[skin])
        return result
