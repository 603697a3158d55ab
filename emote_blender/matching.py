"""Whether the coefficients of a model or a motion belong to a head."""

from __future__ import annotations

from typing import Protocol

from .errors import ModelError

_SHOWN_NAMES = 5


class ExpressionBasis(Protocol):
    """What a head can show: a face model's, or that of a head in a scene."""

    @property
    def basis(self) -> str: ...
    @property
    def num_expression(self) -> int: ...
    @property
    def expression_names(self) -> tuple[str, ...] | None: ...


def check_fits_head(
    source: str, face: str, num_expression: int, expression_names: tuple[str, ...] | None, head: ExpressionBasis
) -> None:
    """Returns nothing; raises ModelError unless a head can show these expression coefficients.

    Named components fit where the head has all the names; components without names (FLAME's directions) fit where the
    basis is the same and the head has at least as many.

    Args:
        source: what the sentence calls the model or the motion.
        face: the basis that the coefficients belong to.
        num_expression: how many there are.
        expression_names: their names, or None.
        head: the head.
    """
    advice = "choose the head that the model was made for"
    if expression_names and head.expression_names:
        missing = [name for name in expression_names if name not in head.expression_names]
        if missing:
            more = f" and {len(missing) - _SHOWN_NAMES} more" if len(missing) > _SHOWN_NAMES else ""
            raise ModelError(
                f"{source} moves {num_expression} expression components, but the head ({head.basis}, "
                f"{head.num_expression}) has no {', '.join(missing[:_SHOWN_NAMES])}{more}; {advice}"
            )
        return
    if face != head.basis:
        raise ModelError(
            f"{source} speaks for the face {face} ({num_expression} expression components), but the head is "
            f"{head.basis} ({head.num_expression}); {advice}"
        )
    if num_expression > head.num_expression:
        raise ModelError(
            f"{source} moves {num_expression} expression components, but the head has {head.num_expression}; {advice}"
        )
