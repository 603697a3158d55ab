"""Motions for heads of another basis: where a conversion exists, and what it needs.

The open basis and FLAME's are converted into each other (`flame_transfer`), which needs the geometry of both. That of
a basis is taken from its head folder: the open head ships, a FLAME head is there once its file was converted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from ..errors import InputError, ModelError
from ..files.paths import DEFAULT_HEAD, HEAD_FILE, available_heads, find_head
from ..flame.model import FaceModel
from ..motion import FaceMotion
from ..motion_tools.raw_take import RawTake
from .compatibility import ExpressionBasis, check_fits_head, fits_head, is_flame
from .face_shape import FaceShape, shape_of_model
from .flame_transfer import Transfer, convert, transfer_between
from .signals import ARKIT_NAMES, OPEN_BASIS, OPEN_NAMES

_FEWEST_NAMES = 20  # of ARKit's: a basis with fewer is another one


def is_open_basis(names: Sequence[str] | None) -> bool:
    """Whether components have ARKit's names, as those of the open head."""
    return names is not None and len(set(names) & set(ARKIT_NAMES)) >= _FEWEST_NAMES


def needs_conversion(face: str, num_expression: int, names: Sequence[str] | None, head: ExpressionBasis) -> bool:
    """Whether coefficients are of the open basis and the head is FLAME's, or the other way round."""
    if fits_head(face, num_expression, tuple(names) if names else None, head):
        return False
    if names:
        is_open = set(names) <= set(OPEN_NAMES) or is_open_basis(names)
        return is_open and head.expression_names is None and is_flame(head.basis)
    return is_flame(face) and is_open_basis(head.expression_names)


def check_can_show(
    source: str, face: str, num_expression: int, names: tuple[str, ...] | None, head: ExpressionBasis
) -> None:
    """Raise ModelError unless a head can show these coefficients as they are, or converted.

    Args:
        source: the model or the motion, as sentences name it.
        face: basis of the coefficients.
        num_expression: number of the coefficients.
        names: their names, or None.
        head: the head.
    """
    if not needs_conversion(face, num_expression, names, head):
        check_fits_head(source, face, num_expression, names, head)
    elif not names and head_folder_of(face) is None:
        raise ModelError(
            f"{source} speaks for the face {face} ({num_expression} expression components), but the head is "
            f"{head.basis} ({head.num_expression}); to convert it, make a head of the {face} file first "
            "(Preferences › Convert FLAME Model, or `convert flame`), or choose the head that the model was made for"
        )


def face_of(motion: FaceMotion, head: ExpressionBasis) -> str:
    """The basis of a motion; if it states none, the open basis for components with its names, else that of the head."""
    if stated := motion.meta.get("face"):
        return str(stated)
    return OPEN_BASIS if is_open_basis(motion.meta.get("expression_names")) else head.basis


def motion_source(motion: FaceMotion) -> str:
    """A motion as sentences name it."""
    return f"the motion of {motion.meta.get('model') or 'this file'}"


def require_names(motion: FaceMotion) -> None:
    """Raise InputError unless a motion has as many names as components, or none."""
    names = motion.meta.get("expression_names")
    if names and len(names) != motion.num_expression:
        raise InputError(
            f"the motion names {len(names)} expression components but holds {motion.num_expression}; generate it again"
        )


def transfer_for(
    source: str,
    face: str,
    num_expression: int,
    names: tuple[str, ...] | None,
    head: ExpressionBasis,
    head_shape: Callable[[], FaceShape],
) -> Transfer | None:
    """The transfer of coefficients to the basis of a head; None if they need no conversion.

    Args:
        source: the model or the motion, as sentences name it.
        face: basis of the coefficients.
        num_expression: number of the coefficients.
        names: their names, or None.
        head: the head.
        head_shape: gives its geometry; called if it is needed.

    Raises:
        ModelError: if the geometry of the coefficients' basis is not there, or a face has no mouth.
    """
    if not needs_conversion(face, num_expression, names, head):
        return None
    check_can_show(source, face, num_expression, names, head)
    folder = find_head(DEFAULT_HEAD) if names else head_folder_of(face)
    assert folder is not None  # checked
    return _transfer(shape_of_folder(folder), head_shape())


def converted(transfer: Transfer, raw: RawTake) -> RawTake:
    """A take's motions in the target's basis."""
    neutral, names = raw.neutral, raw.emotional.meta.get("expression_names")
    if neutral is not None:
        meta = {"expression_names": names} if names else {}  # a stored neutral motion has none of its own
        neutral = convert(transfer, replace(neutral, meta={**neutral.meta, **meta}))
    captured = raw.captured
    if captured is not None:
        captured = replace(captured, motion=convert(transfer, captured.motion))
    return replace(raw, emotional=convert(transfer, raw.emotional), neutral=neutral, captured=captured)


def raw_for_head(raw: RawTake, head: ExpressionBasis, head_shape: Callable[[], FaceShape]) -> RawTake:
    """A take's motions in the basis of a head: the same if they need no conversion; see `transfer_for`.

    Raises:
        InputError: if the motion contradicts itself.
        ModelError: if the geometry of the motion's basis is not there, or a face has no mouth.
    """
    motion = raw.emotional
    require_names(motion)
    names, face = motion.meta.get("expression_names"), face_of(motion, head)
    given = tuple(names) if names else None
    transfer = transfer_for(motion_source(motion), face, motion.num_expression, given, head, head_shape)
    return raw if transfer is None else converted(transfer, raw)


def require_open_basis(source: str, face: str, names: Sequence[str] | None, where: str) -> None:
    """Raise ModelError unless coefficients have names, or can be converted to the open basis.

    Args:
        source: the model or the motion, as the sentence names it.
        face: basis of the coefficients.
        names: their names, or None.
        where: what holds only named components, as the sentence names it.
    """
    if names or (is_flame(face) and head_folder_of(face) is not None):
        return
    advice = f"make a head of the {face} file first, by which it is converted, or " if is_flame(face) else ""
    raise ModelError(
        f"{source} moves components of {face} without names, which {where} cannot hold; {advice}write a .npz"
    )


def in_open_basis(motion: FaceMotion, own_shape: Callable[[], FaceShape] | None = None) -> FaceMotion:
    """A motion of FLAME's in the open basis; one whose components have names as it is.

    Args:
        motion: the motion.
        own_shape: gives the geometry of its head; None to find the head folder of its basis.

    Raises:
        ModelError: if there is no such geometry.
    """
    if motion.meta.get("expression_names"):
        return motion
    if own_shape is None:
        face = str(motion.meta.get("face"))
        require_open_basis(motion_source(motion), face, None, "a capture file")
        folder = head_folder_of(face)
        assert folder is not None  # required
        shape = shape_of_folder(folder)
    else:
        shape = own_shape()
    return convert(_transfer(shape, shape_of_folder(find_head(DEFAULT_HEAD))), motion)


def conversion_notice(source: str, face: str, names: Sequence[str] | None, head: ExpressionBasis) -> str:
    """A sentence that coefficients are converted for a head; empty if they are not."""
    if not needs_conversion(face, 0, names, head):
        return ""
    return f"{source} speaks for {face}; its motion is converted to the head's basis ({head.basis})"


def head_folder_of(basis: str) -> Path | None:
    """The head folder of a basis among those that are found; None without one."""
    for folder in available_heads().values():
        if _basis_of(folder / HEAD_FILE, _changed(folder / HEAD_FILE)) == basis:
            return folder
    return None


def known_shape(basis: str, num_expression: int) -> FaceShape | None:
    """The geometry of a basis from its head folder; None if there is none, or it has another number of components."""
    folder = head_folder_of(basis)
    shape = None if folder is None else shape_of_folder(folder)
    return shape if shape is not None and shape.num_expression == num_expression else None


def shape_of_folder(folder: Path) -> FaceShape:
    """The geometry of a head folder, kept until its files change."""
    return _loaded(folder, _changed(folder / HEAD_FILE))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


@lru_cache(maxsize=64)
def _basis_of(path: Path, changed: float) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["basis"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""  # a damaged head is reported where it is chosen


@lru_cache(maxsize=4)
def _loaded(folder: Path, changed: float) -> FaceShape:
    return shape_of_model(FaceModel.load(folder))


@lru_cache(maxsize=4)
def _transfer(source: FaceShape, target: FaceShape) -> Transfer:
    return transfer_between(source, target)
