"""Decides which of a character's shape keys and bones move jaw and eyes, and where its face looks.

Names only say what may be meant; what counts is which vertices shape keys and bones move.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product

import bpy
import numpy as np

from ...motion_tools.rotation import axis_angle_to_matrix
from ...retarget.face_axes import FacePlace
from ...retarget.key_names import SURE
from ...retarget.mapping import MappingRow
from ...retarget.signals import JAW_OPEN_RADIANS
from ..narrow import armature_of, mesh_of
from .bones import Samples, best_bone, candidates, followers, read_samples
from .face_place import KeyReader, find_face
from .find import Family
from .proposed_table import ProposedTable

_WORKING_MM = 3.0  # by which a shape key opens a mouth, on a head of the open head's size
_EYE_BALL_MM = 26.0  # around an eye's joint: the eyeballs of most heads, and lids
_EYE_TURN_MM = 1.0  # by which a shape key turns an eyeball
_SKIN_FOLLOWS = 0.3  # mean weight of a jaw bone on the chin by which it opens the mouth, not just the teeth
_LEAST_TURN = 0.01  # radians about an axis of a bone, below which a row would do nothing
_HEAD_REACH = 4.0  # around a mouth, of the spread of what opens it: most of the head, little of a body
_MOUTH_TILT = 0.78  # radians by which the way out of the head at the mouth points down
_AS_USUAL = 0.57  # cosine of the angle by which a face may look elsewhere than along -Y: a mouth shows it roughly
_LEAST_SINE = 0.3  # between up and front of a face that a mouth shows
_EYE_LOOK = "eyeLookOutLeft"  # shape keys that only look up and down leave the rest to bones


@dataclass(frozen=True, eq=False)
class Decision:
    """What moves a character beside its table.

    Attributes:
        jaw: KEY, BONE or NONE.
        bones: bone names by role: jaw, neck, head, left_eye, right_eye.
        axes: (3, 3) the face's left, up and front as columns, in the space of the armature, or of the face without one.
        notes: what was decided and why, one sentence each.
        rows: further rows of the table, that turn bones.
    """

    jaw: str
    bones: dict[str, str]
    axes: np.ndarray
    notes: tuple[str, ...] = ()
    rows: tuple[MappingRow, ...] = ()


def decide(face: bpy.types.Object, family: Family, table: ProposedTable) -> Decision:
    """What moves a character's jaw and eyes, and where its face looks.

    Args:
        face: the mesh object that stands for the character.
        family: all its objects.
        table: the proposed rows.
    """
    return _Geometry(face, family, table).decide()


class _Geometry:
    """Decides jaw, bones and axes of a character by what its shape keys and bones move."""

    def __init__(self, face: bpy.types.Object, family: Family, table: ProposedTable) -> None:
        self.face, self.armature, self.table = face, family.armature, table
        self.rows = table.rows
        self.notes: list[str] = []
        self.bone_rows: tuple[MappingRow, ...] = ()
        self.meshes = (face, *(mesh for mesh in family.meshes if mesh != face))
        self.reader = KeyReader(self.meshes, self.armature or face)
        self.names = candidates(self.armature) if self.armature is not None else {}
        certain = sorted(self.rows, key=lambda each: -each.certainty)
        self.place = find_face(
            self.reader,
            [each.row for each in certain if each.certainty >= SURE],
            self._joints(),
            len(mesh_of(face).vertices),
        )
        self.samples = self._samples()
        self.moves = followers(self.armature) if self.armature is not None else {}

    def decide(self) -> Decision:
        """The decision."""
        bones = self._bones()
        jaw = self._jaw(bones)
        self._eyes(bones)
        axes = self.place.axes if self.place is not None else self._upright()
        return Decision(jaw, bones, axes, tuple(self.notes), self.bone_rows)

    def _joints(self) -> dict[str, np.ndarray]:
        if self.armature is None:
            return {}
        bones = armature_of(self.armature).bones
        return {role: np.array(bones[names[0].name].head_local) for role, names in self.names.items()}

    def _samples(self) -> Samples | None:
        if self.armature is None or not self.names:
            return None
        near = None
        if self.place is not None:
            corners = np.array([[-0.2, -0.25, -0.25], [0.2, 0.25, 0.25]]) * self.place.scale
            # A box along the axes of the space around one along the face's.
            reach = np.abs(corners).max(axis=0) @ np.abs(self.place.axes).T
            near = np.stack([self.place.origin - reach, self.place.origin + reach])
        return read_samples(self.meshes, self.armature, near)

    def _bones(self) -> dict[str, str]:
        """The bone of each role."""
        if self.samples is None or not len(self.samples.points):
            return {}
        samples = self.samples
        everything = np.ones(len(samples.points), bool)
        regions: dict[str, tuple[np.ndarray, np.ndarray]]
        if self.place is None:
            regions = dict.fromkeys(self.names, (everything, ~everything))
        else:
            regions = _regions(self.place, samples.points)
        found = {}
        for role, names in self.names.items():
            bone = best_bone(names, samples, self.moves, *regions[role])
            if bone:
                found[role] = bone
        if "head" in found and found.get("neck") == found["head"]:
            del found["neck"]
        return found

    def _jaw(self, bones: dict[str, str]) -> str:
        """KEY, BONE or NONE, with the reason as a note; the jaw bone is taken away where it is not used."""
        key = self._jaw_key()
        bone = bones.get("jaw", "")
        if bone and key is None and self.table.visemes_open_jaw:
            self.notes.append(f"Jaw: none; the visemes open the mouth, so that the bone {bone!r} stays still")
            return "NONE"
        if key is None and not bone:
            named = [each.row.target for each in self.rows if each.row.source == "jawOpen" and each.row.enabled]
            if named:
                why = "is set by a driver" if named[0] in self.table.driven else "moves hardly anything"
                self.notes.append(f"Jaw: the shape key {named[0]!r} {why}, and no bone opens the mouth")
                return "KEY"
            vowels = any(each.row.source.startswith("viseme_") and each.row.enabled for each in self.rows)
            self.notes.append(
                "Jaw: none; the vowels open the mouth" if vowels else "Jaw: none; no shape key or bone opens the mouth"
            )
            return "NONE"
        if key is None:
            self.notes.append(f"Jaw: the bone {bone!r}, whose weights lie on the lower face; no shape key opens it")
            return "BONE"
        if not bone:
            self.notes.append(f"Jaw: the shape key {key!r}; no bone moves the lower face")
            return "KEY"
        only_bone = self._meshes_of_bone(bone) - self._meshes_of_key(key)
        names = ", ".join(repr(self.meshes[index].name) for index in sorted(only_bone))
        if only_bone and not self._moves_chin(bone):
            self.notes.append(f"Jaw: the shape key {key!r}; the bone {bone!r} turns with it, as it moves {names}")
            self.bone_rows = tuple(self._turn_with_jaw(bone))
            return "KEY"
        if only_bone:
            self.notes.append(f"Jaw: the bone {bone!r} rather than the shape key {key!r}, as it also moves {names}")
            return "BONE"
        self.notes.append(
            f"Jaw: the shape key {key!r} rather than the bone {bone!r}: both open the mouth, and the other shape keys "
            "were made to go with it"
        )
        return "KEY"

    def _moves_chin(self, bone: str) -> bool:
        """Whether a jaw bone moves the skin of the face."""
        if self.samples is None or self.place is None:
            return True
        skin = (self.samples.mesh_of_point == 0) & _regions(self.place, self.samples.points)["jaw"][0]
        return bool(skin.any()) and float(self.samples.influence(self.moves[bone])[skin].mean()) > _SKIN_FOLLOWS

    def _turn_with_jaw(self, bone: str) -> Iterator[MappingRow]:
        """Rows that turn a bone as jawOpen opens the mouth: its rotation as axis-angle in its own axes."""
        if self.armature is None or self.place is None:
            return
        rest = np.array(armature_of(self.armature).bones[bone].matrix_local.to_3x3())
        for axis, part in zip("XYZ", JAW_OPEN_RADIANS * rest.T @ self.place.axes[:, 0], strict=True):
            if abs(part) > _LEAST_TURN:
                part = float(part)
                yield MappingRow(
                    "jawOpen", bone, f"ROTATION_{axis}", strength=part, low=min(part, 0.0), high=max(part, 0.0)
                )

    def _jaw_key(self) -> str | None:
        """The shape key that opens the mouth and does something; None without one."""
        for each in sorted(self.rows, key=lambda each: -each.certainty):
            if each.row.source == "jawOpen" and each.row.enabled and self._meshes_of_key(each.row.target):
                if each.row.target not in self.table.driven:
                    return each.row.target
        return None

    def _meshes_of_key(self, key_name: str) -> set[int]:
        """Indices of the meshes that a shape key moves by more than nothing."""
        limit = _WORKING_MM / 1000 * self._metre()
        return {index for index in self.reader.having(key_name) if self.reader.moved(index, key_name).reach > limit}

    def _meshes_of_bone(self, bone: str) -> set[int]:
        """Indices of the meshes with vertices that a bone moves more than halfway."""
        if self.samples is None:
            return set()
        influence = self.samples.influence(self.moves[bone])
        return set(self.samples.mesh_of_point[influence > 0.5].tolist())

    def _metre(self) -> float:
        """Units of the space per metre of a head of the open head's size."""
        if self.place is not None:
            return self.place.scale
        box = np.array(self.face.bound_box)
        return float(np.linalg.norm(box.max(axis=0) - box.min(axis=0))) / 0.45

    def _eyes(self, bones: dict[str, str]) -> None:
        """Leave out eye bones whose eyeballs shape keys turn already."""
        eyes: dict[str, str] = {role: bones[role] for role in ("left_eye", "right_eye") if role in bones}
        if len(eyes) == 1:
            bones.pop(*eyes)
            self.notes.append(f"Eyes: only the bone {next(iter(eyes.values()))!r} was found; it stays still")
            return
        if not eyes:
            return
        names = " and ".join(map(repr, eyes.values()))
        if self._keys_turn(eyes):
            for role in eyes:
                del bones[role]
            self.notes.append(f"Eyes: shape keys turn them, so that the bones {names} stay still")
        else:
            self.notes.append(f"Eyes: the bones {names}")

    def _keys_turn(self, eyes: dict[str, str]) -> bool:
        """Whether a shape key that looks somewhere moves vertices of the eyeballs."""
        samples = self.samples
        if samples is None:
            return False
        of_eye = samples.influence(self.moves[eyes["left_eye"]]) > 0.5
        limit = _EYE_TURN_MM / 1000 * self._metre()
        for each in self.rows:
            if each.row.source != _EYE_LOOK or not each.row.enabled:
                continue
            for index in self.reader.having(each.row.target):
                eyeball = samples.vertices[of_eye & (samples.mesh_of_point == index)]
                moved = self.reader.moved(index, each.row.target)
                turned = moved.vertices[np.linalg.norm(moved.moves, axis=1) > limit]
                if len(eyeball) and np.isin(eyeball, turned).mean() > 0.5:
                    return True
        return False

    def _upright(self) -> np.ndarray:
        """(3, 3) the axes of a face that looks along one of the world's axes, by where its mouth opens, else along -Y.

        In the space that counts.
        """
        space = self.armature or self.face
        turn = np.array(space.matrix_world.to_quaternion().to_matrix())
        axes = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
        by_mouth = self._axes_of_mouth()
        # The trace of a rotation by an angle is 1 + 2 cos(angle).
        if by_mouth is not None and (axes * (turn @ by_mouth)).sum() < 1.0 + 2.0 * _AS_USUAL:
            axes = max(_straight_axes(), key=lambda straight: float((straight * (turn @ by_mouth)).sum()))
        shown = "XYZ"[int(np.abs(axes[:, 2]).argmax())]
        sign = "-" if axes[:, 2].sum() < 0 else "+"
        self.notes.append(
            f"Axes: its face is taken to look along {sign}{shown} in the scene, as its shape keys do not show where"
        )
        return turn.T @ axes

    def _axes_of_mouth(self) -> np.ndarray | None:
        """(3, 3) roughly the face's axes: a mouth opens downwards, in front of the head; None without one."""
        for each in self.rows:
            if each.row.source not in ("jawOpen", "viseme_aa") or not self.reader.having(each.row.target):
                continue
            moved = self.reader.moved(self.reader.having(each.row.target)[0], each.row.target)
            weights = np.einsum("vc,vc->v", moved.moves, moved.moves, dtype=np.float64)
            if weights.sum() == 0:
                continue
            middle = weights @ moved.points / weights.sum()
            reach = _HEAD_REACH * np.sqrt(weights @ ((moved.points - middle) ** 2).sum(axis=1) / weights.sum())
            off = self.reader.points(0) - middle
            near = np.einsum("vc,vc->v", off, off) < reach**2
            up, front = -(weights @ moved.moves), -off[near].sum(axis=0)
            left = np.cross(up, front)
            if np.linalg.norm(left) < _LEAST_SINE * np.linalg.norm(up) * np.linalg.norm(front):
                continue
            columns = np.stack([left, np.cross(front, left), front], axis=1)
            tilted = columns / np.linalg.norm(columns, axis=0)
            # The jaw goes backwards as it opens, and the mouth is below the middle of the head.
            return tilted @ axis_angle_to_matrix(np.array([-_MOUTH_TILT, 0.0, 0.0]))
        return None


def _straight_axes() -> Iterator[np.ndarray]:
    """The 24 rotations by right angles, (3, 3) each."""
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            turn = np.eye(3)[list(order)] * np.array(signs)
            if np.linalg.det(turn) > 0:
                yield turn


def _regions(place: FacePlace, points: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Which vertices the bone of a role moves, and which it leaves alone, by places on the open head (mm)."""
    left, up, front = 1000 * place.on_open_head(points).T
    chin = (np.abs(left) < 30) & (up < -52) & (up > -100) & (front > 35)
    above_mouth = (up > 0) & (front > 0)
    top = (up > 55) & (np.abs(left) < 90)
    below = (up < -150) & (front < 40)

    def ball(side: float) -> np.ndarray:
        return (left - 34.8 * side) ** 2 + (up - 19.0) ** 2 + (front - 50.0) ** 2 < _EYE_BALL_MM**2

    away = up < -30
    return {
        "jaw": (chin, above_mouth),
        "neck": (top, below),
        "head": (top, below),
        "left_eye": (ball(1.0), away),
        "right_eye": (ball(-1.0), away),
    }
