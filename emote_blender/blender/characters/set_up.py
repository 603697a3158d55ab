"""Sets up a character: what is proposed for its meshes, its table, its jaw and its bones; and writing it.

A proposal changes nothing. What the user has edited stays when a character is set up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import bpy
import numpy as np

from ...errors import InputError
from ...retarget.key_names import SURE, propose
from ...retarget.mapping import KEY, MappingRow
from ..head.foreign_flame import flame_keys
from ..head.shape_keys import driving_bones, key_names
from ..narrow import mesh_of
from ..settings.character_settings import EMOTE_PG_character, EMOTE_PG_mapping_row, row_of
from ..settings.head_settings import head_settings
from ..settings.lists import emptied, taken_out
from ..settings.live import together
from .bones import candidates
from .decide import decide
from .find import Family, family_of
from .proposed_table import ProposedRow, ProposedTable, given_rows, is_face, speak_of_mouth


@dataclass(frozen=True, eq=False)
class SetUp:
    """What a character is set up with.

    Attributes:
        face: the mesh object that stands for it.
        others: its further meshes that move with the table.
        armature: its armature, or None.
        kind: whose names its shape keys have.
        rows: the table.
        jaw: KEY, BONE or NONE.
        bones: bone names by role: jaw, neck, head, left_eye, right_eye.
        axes: (3, 3) the face's left, up and front as columns, in the space of the armature, or of the face without one.
        notes: what was decided and why, and what to know, one sentence each.
    """

    face: bpy.types.Object
    others: tuple[bpy.types.Object, ...]
    armature: bpy.types.Object | None
    kind: str
    rows: tuple[ProposedRow, ...]
    jaw: str
    bones: dict[str, str]
    axes: np.ndarray
    notes: tuple[str, ...]

    def sentence(self) -> str:
        """Return what was mapped, in a line."""
        used = [proposed for proposed in self.rows if proposed.row.enabled]
        sources = {proposed.row.source for proposed in used}
        has_visemes = any(source.startswith("viseme_") for source in sources)
        mouth = {
            "BONE": f"the bone {self.bones.get('jaw', '')!r} opens",
            "KEY": "a shape key opens",
            "NONE": "visemes open" if has_visemes else "nothing opens",
        }[self.jaw]
        targets = {proposed.row.target for proposed in used}
        waiting = len(self.rows) - len(used)
        return (
            f"{self.face.name}: {self.kind}, {len(sources)} signals move {len(targets)} shape keys of "
            f"{1 + len(self.others)} mesh{'es' if self.others else ''}, and {mouth} the mouth"
            + (f"; {waiting} uncertain rows are switched off" if waiting else "")
        )


def propose_set_up(
    item: bpy.types.Object,
    scene: bpy.types.Scene,
    armature: bpy.types.Object | None = None,
    *,
    by_hand: bool = False,
) -> SetUp:
    """What a character would be set up with.

    Args:
        item: any of its objects.
        scene: whose objects may belong to it.
        armature: its armature, instead of the one that is found.
        by_hand: whether the user fills the table, so that no face needs to be recognised.

    Raises:
        InputError: if no face is recognised, or if it is a head that speaks without being set up.
    """
    family = family_of(item, scene, armature)
    _require_no_head(family)
    face = _face_of(family)
    _require_relative_keys(face)
    table = ProposedTable(face, family)
    decision = decide(face, family, table)
    if decision.jaw == "BONE":  # its mouth may need no visemes then
        with_bone = ProposedTable(face, family, jaw_is_bone=True)
        if with_bone.rows != table.rows:
            table, decision = with_bone, decide(face, family, with_bone)
    if not by_hand and decision.jaw != "BONE" and not speak_of_mouth(table.rows):
        raise InputError(_no_face_sentence(face))
    return SetUp(
        face=face,
        others=tuple(table.others),
        armature=family.armature,
        kind=table.kind,
        rows=(*table.rows, *(ProposedRow(row, 1.0) for row in decision.rows)),
        jaw=decision.jaw,
        bones=decision.bones,
        axes=decision.axes,
        notes=(*decision.notes, *_driver_notes((face, *table.others), table.driven), *_still_notes(face, table)),
    )


def recognised_face(item: bpy.types.Object | None, scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The mesh with the face of the character that an object belongs to, judged by names alone; None without one."""
    if item is None or item.type not in ("MESH", "ARMATURE", "EMPTY"):
        return None
    try:
        family = family_of(item, scene)
        _require_no_head(family)
    except InputError:
        return None
    face = _face_of(family)
    proposal = propose(key_names(face))
    has_jaw = family.armature is not None and "jaw" in candidates(family.armature)
    return face if is_face(proposal) or (has_jaw and proposal.rows) else None


def write_set_up(set_up: SetUp, keep_edited: bool = True) -> EMOTE_PG_character:
    """Store a set-up on the character's face; rows that the user has edited stay, those proposed for the same go.

    Args:
        set_up: what to store.
        keep_edited: whether rows that the user has edited stay.
    """
    settings = head_settings(set_up.face)
    character = settings.character
    with together("character", set_up.face, settings):
        kept = [(row_of(entry), entry.certainty) for entry in character.rows if keep_edited and entry.is_edited]
        present = {name for mesh in (set_up.face, *set_up.others) for name in key_names(mesh)}
        kept = [(_followed(row, set_up, present), certainty) for row, certainty in kept]
        taken = {(row.target, row.channel) for row, _ in kept}
        proposed = [each for each in set_up.rows if (each.row.target, each.row.channel) not in taken]
        character.kind = set_up.kind
        character.armature = set_up.armature
        for entry, mesh in zip_longest(emptied(character.meshes, len(set_up.others)), set_up.others):
            entry.mesh = mesh
        rows = [(each.row, each.certainty, False) for each in proposed]
        write_rows(character, [*rows, *((row, certainty, True) for row, certainty in kept)])
        character.active_row = 0 if len(character.rows) else -1
        character.jaw = set_up.jaw
        for role in ("jaw", "neck", "head", "left_eye", "right_eye"):
            setattr(character, f"{role}_bone", set_up.bones.get(role, ""))
        character.axes = set_up.axes.T.ravel().tolist()
        character.notes = "\n".join(set_up.notes)
        character.is_set_up = True
    return character


def write_rows(character: EMOTE_PG_character, rows: Sequence[tuple[MappingRow, float, bool]]) -> None:
    """Replace the table of a character by rows, each with its certainty and whether the user has edited it.

    Rows that a library override cannot remove are filled in anew, or switched off.
    """
    for number, entry in enumerate(emptied(character.rows, len(rows))):
        if number < len(rows):
            write_row(entry, *rows[number])
        else:
            entry.enabled = False


def take_out_row(character: EMOTE_PG_character, index: int) -> None:
    """Remove a row of a character's table; one that comes from a library is switched off."""
    if not taken_out(character.rows, index):
        character.rows[index].enabled = False


def write_row(entry: EMOTE_PG_mapping_row, row: MappingRow, certainty: float = 1.0, is_edited: bool = True) -> None:
    """Fill in a row of the table; callers hold changes back with `live.together`."""
    for name in ("source", "target", "channel", "strength", "offset", "low", "high", "enabled"):
        setattr(entry, name, getattr(row, name))
    entry.certainty, entry.is_edited = certainty, is_edited


def _followed(row: MappingRow, set_up: SetUp, present: set[str]) -> MappingRow:
    """A row whose shape key was renamed, with its new name: the only one proposed for the same signal."""
    if row.channel != KEY or row.target in present:
        return row
    targets = {each.row.target for each in set_up.rows if each.row.source == row.source and each.certainty >= SURE}
    return replace(row, target=targets.pop()) if len(targets) == 1 else row


def _require_no_head(family: Family) -> None:
    for mesh in family.meshes:
        if mesh.get("emote_head") is not None:
            raise InputError(f"{mesh.name!r} is a head of this add-on: it speaks without being set up")
        if flame_keys(mesh_of(mesh)) is not None:
            raise InputError(
                f"{mesh.name!r} has FLAME's shape keys: it speaks without being set up; press Use Selected Character"
            )


def _face_of(family: Family) -> bpy.types.Object:
    """The mesh that is set up already, or the one with the most recognised shape keys."""
    for mesh in family.meshes:
        if head_settings(mesh).character.is_set_up:
            return mesh
    scores = {
        mesh: sum(certainty for _, certainty in given_rows(propose(names)) if certainty >= SURE)
        for mesh in family.meshes
        if (names := key_names(mesh))
    }
    return max(scores, key=lambda mesh: scores[mesh], default=family.meshes[0])


def _no_face_sentence(face: bpy.types.Object) -> str:
    count = len(key_names(face))
    if not count:
        return f"{face.name!r} has no shape keys that could speak; add shape keys for the mouth, or use another mesh"
    shown = ", ".join(key_names(face)[:3]) + (", ..." if count > 3 else "")
    return (
        f"{face.name!r} has no face that is recognised: its {count} shape keys ({shown}) are not named like ARKit's, "
        "VRM's or visemes, and it has no jaw bone; rename them, or set it up by hand"
    )


def _require_relative_keys(face: bpy.types.Object) -> None:
    keys = mesh_of(face).shape_keys
    if keys is not None and not keys.use_relative and len(keys.key_blocks) > 1:
        raise InputError(
            f"the shape keys of {face.name!r} are absolute, so that their values move nothing; switch on Relative in "
            "Object Data > Shape Keys"
        )


def _driver_notes(meshes: Iterable[bpy.types.Object], driven: set[str]) -> list[str]:
    """What drivers keep takes from moving, and which bones the user may choose instead."""
    if not driven:
        return []
    bones = sorted({bone for mesh in meshes for bone in driving_bones(mesh, driven)})
    instead = f"add rows for the bones that the drivers read ({_listed(bones)})" if bones else "choose other targets"
    return [
        f"Drivers set {len(driven)} of the shape keys ({_listed(sorted(driven))}): takes cannot move these; remove "
        f"their drivers, or {instead}"
    ]


def _still_notes(face: bpy.types.Object, table: ProposedTable) -> list[str]:
    """What the user has switched off, so that takes would not be seen."""
    notes = []
    if face.show_only_shape_key:
        notes.append(
            f"{face.name!r} shows its active shape key only (the pin in Object Data > Shape Keys): switch that off "
            "to see it speak"
        )
    keys, targets = mesh_of(face).shape_keys, {each.row.target for each in table.rows}
    muted = [] if keys is None else [key.name for key in keys.key_blocks if key.mute and key.name in targets]
    if muted:
        notes.append(f"Muted shape keys stay still ({_listed(muted)}): unmute them in Object Data > Shape Keys")
    return notes


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
