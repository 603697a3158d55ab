"""The table that is proposed for a character: which signal moves which shape key of its meshes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import bpy

from ...retarget.key_names import SURE, Proposal, propose
from ...retarget.mapping import MappingRow
from ..head.shape_keys import driven_keys, key_names
from .find import Family

_FEWEST_MOUTH_ROWS = 2  # by which a mesh is recognised as a face


@dataclass(frozen=True)
class ProposedRow:
    """A row of the table that is proposed.

    Attributes:
        row: the row.
        certainty: 0 to 1.
    """

    row: MappingRow
    certainty: float


class ProposedTable:
    """The rows that are proposed for all meshes of a character.

    A mesh whose shape keys are all driven follows the face by itself. A key that a driver moves gives way to another
    one of the same signal.

    Args:
        face: the mesh object that stands for the character.
        family: all its objects.
        jaw_is_bone: whether a bone opens the mouth.
    """

    def __init__(self, face: bpy.types.Object, family: Family, jaw_is_bone: bool = False) -> None:
        meshes = [face, *(mesh for mesh in family.meshes if mesh != face)]
        names_of = {mesh: key_names(mesh) for mesh in meshes}
        driven_of = {mesh: driven_keys(mesh) for mesh in meshes}
        meshes = [mesh for mesh in meshes if mesh == face or set(names_of[mesh]) - driven_of[mesh]]
        free = [[name for name in names_of[mesh] if name not in driven_of[mesh]] for mesh in meshes]
        proposal = propose(free[0], jaw_is_bone, free[1:])
        rows = given_rows(proposal)
        shown = {row.source for row, certainty in rows if certainty >= SURE}
        # Of what only driven keys show there are rows too, so that the user sees what is missing.
        stuck = []
        if any(driven_of[mesh] for mesh in meshes):
            every = propose(names_of[face], jaw_is_bone, [names_of[mesh] for mesh in meshes[1:]])
            driven = set.union(*(driven_of[mesh] for mesh in meshes))
            stuck = [
                (row, certainty)
                for row, certainty in given_rows(every)
                if row.target in driven and row.source not in shown
            ]
        self.driven = {row.target for row, certainty in stuck if certainty >= SURE}
        self.kind = proposal.kind or "own names"
        self.visemes_open_jaw = proposal.visemes_open_jaw
        self.rows = tuple(
            ProposedRow(replace(row, enabled=certainty >= SURE), certainty) for row, certainty in (*rows, *stuck)
        )
        targets = {each.row.target for each in self.rows}
        self.others = [mesh for mesh in meshes[1:] if targets.intersection(names_of[mesh])]


def is_face(proposal: Proposal) -> bool:
    """Whether shape keys are a face's by their names."""
    return speak_of_mouth(ProposedRow(row, certainty) for row, certainty in given_rows(proposal))


def speak_of_mouth(rows: Iterable[ProposedRow]) -> bool:
    """Whether enough rows move a mouth."""
    mouth = {
        each.row.source
        for each in rows
        if each.certainty >= SURE and each.row.source.startswith(("mouth", "jaw", "viseme", "tongue"))
    }
    return len(mouth) >= _FEWEST_MOUTH_ROWS


def given_rows(proposal: Proposal) -> list[tuple[MappingRow, float]]:
    """The rows of a proposal, each with its certainty."""
    return list(zip(proposal.rows, proposal.certainties, strict=True))
