"""The position of each vertex on the face, and smooth fields over it, from which the shapes are made."""

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
"""How far rings inside the mouth follow a field of the face; all other skin has 1, other parts 0."""
BROW_NEIGHBOURS, BROW_REACH = 12, 3.5 * MM
SLIDE_STEPS = 3


class FaceCoordinates:
    """Anatomical coordinates of every vertex of a HeadMesh, and the fields made of them.

    Args:
        mesh: the HeadMesh.
        rig: its Rig.

    Attributes:
        positions: (V, 3) metres.
        is_skin: (V,) bool.
        slides: (V,) bool, skin that can slide along the sculpt: all but lids, nostrils and the inside of the mouth.
        row: (V,) row of the grid; NO_RING elsewhere.
        column: (V,) column of the grid.
        mouth_ring: (V,) ring about the mouth; NO_RING elsewhere.
        lip_position: (V,) position along the lips, -1 to 1.
        lip_side: (V,) +1 on the upper lip, -1 on the lower.
        eye_ring: (V,) ring about an eye; NO_RING elsewhere.
        eye_side: (V,) +1 at the left eye, -1 at the right.
        eye_index: (V,) index in the ring.
        lip_distance: (V,) distance from the line of contact of the lips, metres.
        lip_corner: (3,) left corner of the mouth, metres.
        mouth_x: (V,) x divided by the half width of the mouth.
        upper_share: (V,) 1 above the line of contact, 0 below, with a ramp between.
        follow: (V,) how far a vertex follows a field of the face, 0 to 1.
        normals: (V, 3) unit normals of the sculpt.
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
        """(N,) vertices of a brow, (N, 12) skin vertices near each, and (N, 12) their weights."""
        skin = np.where(self.slides)[0]
        own = np.arange(len(self.positions))[self.mesh.ranges[name]]
        distance, nearest = cKDTree(self.positions[skin]).query(self.positions[own], BROW_NEIGHBOURS)
        weight = gaussian(distance, BROW_REACH) + 1e-9
        return own, skin[nearest], weight / weight.sum(1, keepdims=True)

    # ---- fields: (V,) weights

    def bump(self, centre, radii, power=2.0):
        """A Gaussian bump on the skin and inner lips; centre (3,) and radii (scalar or 3) in metres."""
        radii = np.broadcast_to(np.asarray(radii, float), 3)
        distance = np.sqrt((((self.positions - np.asarray(centre)) / radii) ** 2).sum(1))
        return np.exp(-0.5 * distance**power) * self.follow

    def near_lips(self, reach):
        """A field that is 1 at the line of contact of the lips and fades over `reach` metres."""
        return gaussian(self.lip_distance, reach) * self.follow

    def left_half(self, softness=0.45):
        """A field that is 1 on the left half of the mouth and 0 on the right; it and its mirror image sum to 1."""
        return smooth_ramp(-softness, softness, self.mouth_x)

    def near_corner(self, reach_mm=13.0, stretch=1.25):
        """A bump about the left corner of the mouth."""
        offset = (self.positions - self.lip_corner) / np.array([reach_mm * stretch, reach_mm, reach_mm * 1.4]) / MM
        return np.exp(-0.5 * (offset**2).sum(1)) * self.follow

    # ---- displacements: (V, 3) metres

    def zeros(self):
        """A displacement of zero."""
        return np.zeros_like(self.positions)

    def along(self, weight, vector_mm):
        """The weight times a vector in millimetres."""
        return weight[:, None] * np.asarray(vector_mm, float) * MM

    def outwards(self, weight_mm):
        """A displacement along the surface normals by a weight in millimetres."""
        return self.normals * (weight_mm * MM)[:, None]

    def slide(self, displacement, amount=1.0):
        """The displacement with moved skin put back to its distance from the sculpt (completely with amount 1)."""
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
        """The mirror image of a displacement."""
        return displacement[self.mesh.mirror] * MIRROR

    def carry_brows(self, displacement):
        """The displacement with the brows following the skin below them."""
        result = displacement.copy()
        for brow, skin, weight in self._brow_bindings:
            result[brow] = np.einsum("nk,nkd->nd", weight, displacement[skin])
        return result
