"""A face model: FLAME's arrays for any head, posed in numpy."""

from dataclasses import dataclass, field, fields

import numpy as np

from ..errors import ModelError
from ..motion_tools.rotation import axis_angle_to_matrix
from .head_folder import read_head, write_head
from .skinning import blend_skin, joint_transforms, pose_features

FLAME_JOINT_NAMES = ("root", "neck", "jaw", "left_eye", "right_eye")


@dataclass(frozen=True, eq=False)
class FaceModel:
    """FLAME's arrays. Coordinates are metres, y up, the face looks along +z, +x is the character's left.

    Attributes:
        v_template: (V, 3) vertices of the neutral mean face.
        faces: (F, 3) int32 triangles.
        shapedirs: (V, 3, S + E) displacement of each identity component, then of each expression component.
        posedirs: (9 (J - 1), V * 3) pose correctives, or None.
        J_regressor: (J, V) joints as weighted sums of vertices.
        lbs_weights: (V, J) skinning weights, rows sum to 1.
        parents: (J,) int32 parent joint; -1 for the root.
        num_shape: S.
        num_expression: E.
        basis: name of the basis of the coefficients: "open_head", "flame2020", ...
        licence: SPDX name, or the name of the licence the user agreed to.
        units: always "metres".
        joint_names: J names.
        expression_names: E names, or None for a basis without names.
        shape_names: S names, or None.
        quads: (Q, 4) int32 faces for modelling; triangles 2i and 2i + 1 belong to quad i. None for a triangle mesh.
        quad_material: (Q,) int32 index into material_names.
        material_names: names of the material groups.
        vertex_colors: (V, 3) RGB, 0 to 1; linear once raised to `vertex_color_gamma`.
        uv: (Q, 4, 2) texture coordinates of each quad's corners.
        regions: vertex weights (V,), 0 to 1, by name.
        landmark_faces: (L,) int32 triangle of each of the iBUG landmarks.
        landmark_barycentrics: (L, 3) position of each landmark within its triangle.
        mirror: (V,) int32 the vertex opposite each vertex.
        mouth_close_angle: jaw opening in radians that mouthClose = 1 closes again, or None.
        vertex_color_gamma: gamma of the display for which the colours were mixed; 1 for linear colours.
    """

    v_template: np.ndarray
    faces: np.ndarray
    shapedirs: np.ndarray
    posedirs: np.ndarray | None
    J_regressor: np.ndarray
    lbs_weights: np.ndarray
    parents: np.ndarray
    num_shape: int
    num_expression: int
    basis: str
    licence: str
    units: str = "metres"
    joint_names: tuple[str, ...] = FLAME_JOINT_NAMES
    expression_names: tuple[str, ...] | None = None
    shape_names: tuple[str, ...] | None = None
    quads: np.ndarray | None = None
    quad_material: np.ndarray | None = None
    material_names: tuple[str, ...] | None = None
    vertex_colors: np.ndarray | None = None
    uv: np.ndarray | None = None
    regions: dict[str, np.ndarray] = field(default_factory=dict)
    landmark_faces: np.ndarray | None = None
    landmark_barycentrics: np.ndarray | None = None
    mirror: np.ndarray | None = None
    mouth_close_angle: float | None = None
    vertex_color_gamma: float = 1.0

    @classmethod
    def load(cls, folder) -> "FaceModel":
        """Return the face model of a head folder (head.safetensors and head.json).

        Raises:
            ModelError: a file is missing, broken or truncated, a key is missing or unexpected, or a shape is wrong.
        """
        model = cls(**read_head(folder))
        model.check(source=folder)
        return model

    def save(self, folder) -> None:
        """Write head.safetensors and head.json; loading them gives the same values back exactly."""
        self.check(source=folder)
        write_head({f.name: getattr(self, f.name) for f in fields(self)}, folder)

    @property
    def num_vertices(self) -> int:
        """V."""
        return len(self.v_template)

    @property
    def num_joints(self) -> int:
        """J."""
        return len(self.parents)

    @property
    def identity_dirs(self) -> np.ndarray:
        """(V, 3, S) displacement of each identity component, metres."""
        return self.shapedirs[:, :, : self.num_shape]

    @property
    def expression_dirs(self) -> np.ndarray:
        """(V, 3, E) displacement of each expression component, metres."""
        return self.shapedirs[:, :, self.num_shape :]

    def joints(self, shape=None) -> np.ndarray:
        """Return (J, 3) rest positions of the joints, metres, for (S,) identity coefficients."""
        rest = self.v_template
        if shape is not None:
            rest = rest + self.identity_dirs @ np.asarray(shape, np.float32)
        return self.J_regressor @ rest

    def vertices(self, expression, jaw, shape=None, eyes=None, neck=None, root=None) -> np.ndarray:
        """Return (V, 3) posed vertices in metres, or (T, V, 3) if any argument has a leading T.

        Args:
            expression: (E,) or (T, E) coefficients.
            jaw: (3,) or (T, 3) axis-angle, radians; positive rotation about +x opens the mouth.
            shape: (S,) or (T, S) identity coefficients; zero if None.
            eyes: (6,) or (T, 6) axis-angle of the left, then of the right eye, radians.
            neck: (3,) or (T, 3) axis-angle, radians.
            root: (3,) or (T, 3) axis-angle of the whole head, radians.
        """
        eyes = np.zeros(6, np.float32) if eyes is None else eyes
        rotations = {"root": root, "neck": neck, "jaw": jaw}
        rotations |= {"left_eye": np.asarray(eyes)[..., :3], "right_eye": np.asarray(eyes)[..., 3:]}
        pose = [rotations.get(name) for name in self.joint_names]
        parts = [shape, expression, *pose]
        widths = [self.num_shape, self.num_expression] + [3] * self.num_joints
        parts = [
            np.zeros(width, np.float32) if part is None else np.asarray(part, np.float32)
            for part, width in zip(parts, widths, strict=True)
        ]
        for part, width in zip(parts, widths, strict=True):
            if part.ndim not in (1, 2) or part.shape[-1] != width:
                raise ValueError(f"expected ({width},) or (T, {width}) coefficients, found {part.shape}")
        num_frames = np.broadcast_shapes(*(part.shape[:-1] for part in parts))
        parts = [np.broadcast_to(part, (*(num_frames or (1,)), part.shape[-1])) for part in parts]
        posed = self._pose(np.concatenate(parts[:2], 1), np.stack(parts[2:], 1))
        return posed if num_frames else posed[0]

    def _pose(self, coefficients: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """(B, V, 3) vertices of (B, S + E) coefficients and (B, J, 3) joint rotations as axis-angle."""
        batch, num_vertices = len(coefficients), self.num_vertices
        directions = self.shapedirs.reshape(num_vertices * 3, -1)
        shaped = self.v_template + (coefficients @ directions.T).reshape(batch, num_vertices, 3)
        joints = np.matmul(self.J_regressor, shaped)  # (B, J, 3)
        rotations = axis_angle_to_matrix(pose)
        if self.posedirs is not None:
            shaped = shaped + (pose_features(rotations) @ self.posedirs).reshape(batch, num_vertices, 3)
        return blend_skin(shaped, joint_transforms(rotations, joints, self.parents), self.lbs_weights)

    def check(self, source="the face model") -> None:
        """Raise ModelError with one sentence if an array's shape or a name's count does not fit the others."""
        vertices, joints = self.num_vertices, self.num_joints
        quads = None if self.quads is None else len(self.quads)
        landmarks = None if self.landmark_faces is None else len(self.landmark_faces)
        expected_shapes = {
            "v_template": (vertices, 3),
            "faces": (len(self.faces), 3),
            "shapedirs": (vertices, 3, self.num_shape + self.num_expression),
            "posedirs": (9 * (joints - 1), vertices * 3),
            "J_regressor": (joints, vertices),
            "lbs_weights": (vertices, joints),
            "quads": (quads, 4),
            "quad_material": (quads,),
            "vertex_colors": (vertices, 3),
            "uv": (quads, 4, 2),
            "landmark_faces": (landmarks,),
            "landmark_barycentrics": (landmarks, 3),
            "mirror": (vertices,),
        }
        for name, expected in expected_shapes.items():
            array = getattr(self, name)
            if array is not None and array.shape != expected:
                raise ModelError(f"{source}: {name} has shape {array.shape}, expected {expected}")
            if array is not None and not np.isfinite(array).all():
                raise ModelError(f"{source}: {name} holds values that are not finite numbers")
        gamma = self.vertex_color_gamma
        if isinstance(gamma, bool) or not isinstance(gamma, int | float) or not 0 < gamma < np.inf:
            raise ModelError(f"{source}: vertex_color_gamma is {gamma!r}, expected a number above 0; 1 is linear")
        self._check_indices(source)
        self._check_names(source)

    def _check_indices(self, source) -> None:
        limits = {
            "faces": self.num_vertices,
            "quads": self.num_vertices,
            "mirror": self.num_vertices,
            "landmark_faces": len(self.faces),
            "quad_material": len(self.material_names or ()),
        }
        for name, limit in limits.items():
            array = getattr(self, name)
            if array is not None and array.size and not 0 <= array.min() <= array.max() < limit:
                raise ModelError(f"{source}: {name} holds {array.min()} to {array.max()}, allowed are 0 to {limit - 1}")

    def _check_names(self, source) -> None:
        expected_counts = {
            "joint_names": self.num_joints,
            "shape_names": self.num_shape,
            "expression_names": self.num_expression,
        }
        for name, count in expected_counts.items():
            names = getattr(self, name)
            if names is not None and (len(names) != count or len(set(names)) != count):
                raise ModelError(f"{source}: {name} holds {len(set(names))} different names, expected {count}")
        if self.units != "metres":
            raise ModelError(f"{source}: units is '{self.units}', expected 'metres'; scale the head to metres")
