"""Whether the coefficients of a model or a motion belong to a head."""

from __future__ import annotations

from typing import Protocol

from ..errors import ModelError

# The basis of a head with FLAME's shape keys that does not state its version.
UNKNOWN_FLAME = "flame"
_FLAME_PREFIX = "flame"
_SHOWN_NAMES = 5


class ExpressionBasis(Protocol):
    """The expression components of a head: a face model, or a head in a scene."""

    @property
    def basis(self) -> str:
        """Name of the basis of its coefficients."""
        ...

    @property
    def num_expression(self) -> int:
        """Number of components."""
        ...

    @property
    def expression_names(self) -> tuple[str, ...] | None:
        """Names of the components, or None."""
        ...


def check_fits_head(
    source: str, face: str, num_expression: int, expression_names: tuple[str, ...] | None, head: ExpressionBasis
) -> None:
    """Raise ModelError unless a head can show these expression coefficients.

    Named components fit if the head has all the names. Components without names (FLAME's directions) fit if the head
    has at least as many and its basis is the same, or both are versions of FLAME (see `version_warning`).

    Args:
        source: the model or the motion, as sentences name it.
        face: basis of the coefficients.
        num_expression: number of the coefficients.
        expression_names: their names, or None.
        head: the head.
    """
    if fits_head(face, num_expression, expression_names, head):
        return
    advice = "choose the head that the model was made for"
    if expression_names and head.expression_names:
        missing = [name for name in expression_names if name not in head.expression_names]
        more = f" and {len(missing) - _SHOWN_NAMES} more" if len(missing) > _SHOWN_NAMES else ""
        raise ModelError(
            f"{source} moves {num_expression} expression components, but the head ({head.basis}, "
            f"{head.num_expression}) has no {', '.join(missing[:_SHOWN_NAMES])}{more}; {advice}"
        )
    if not _same_basis(face, head.basis):
        raise ModelError(
            f"{source} speaks for the face {face} ({num_expression} expression components), but the head is "
            f"{head.basis} ({head.num_expression}); {advice}"
        )
    raise ModelError(
        f"{source} moves {num_expression} expression components, but the head has {head.num_expression}; {advice}"
    )


def fits_head(face: str, num_expression: int, expression_names: tuple[str, ...] | None, head: ExpressionBasis) -> bool:
    """Whether a head can show these coefficients as they are; see `check_fits_head`."""
    if expression_names and head.expression_names:
        return set(expression_names) <= set(head.expression_names)
    return _same_basis(face, head.basis) and num_expression <= head.num_expression


def version_warning(source: str, face: str, head: ExpressionBasis) -> str:
    """A warning if head and coefficients belong to different versions of FLAME; else empty.

    The versions have the same mesh, but their expression components are different directions.

    Args:
        source: the model or the motion, as the sentence names it.
        face: basis of the coefficients.
        head: the head.
    """
    if head.expression_names or face == head.basis or not _both_flame(face, head.basis):
        return ""
    if UNKNOWN_FLAME in (face, head.basis):
        known = face if head.basis == UNKNOWN_FLAME else head.basis
        return (
            f"{source} and the head are both FLAME, but only one says which version ({known}); coefficients of "
            "different versions do not mix: make sure that the other is the same"
        )
    return (
        f"{source} speaks for {face}, but the head is {head.basis}: their coefficients do not mix and the face will "
        f"look wrong; choose a {face} head"
    )


def is_flame(basis: str) -> bool:
    """Whether a basis is a version of FLAME's."""
    return basis.startswith(_FLAME_PREFIX)


def _both_flame(face: str, basis: str) -> bool:
    return is_flame(face) and is_flame(basis)


def _same_basis(face: str, basis: str) -> bool:
    return face == basis or _both_flame(face, basis)
