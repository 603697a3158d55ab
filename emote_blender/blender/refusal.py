"""Errors of operators: an EmoteError becomes a report, and the operator is cancelled."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Literal, TypeVar

import bpy

from ..errors import Cancelled, EmoteError

# What `execute`, `invoke` and `modal` of an operator return.
Result = set[Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]]
AnyOperator = TypeVar("AnyOperator", bound=bpy.types.Operator)


def refuse(operator: bpy.types.Operator, error: EmoteError) -> Result:
    """Report an error's sentence and return the operator's result."""
    operator.report({"INFO" if isinstance(error, Cancelled) else "ERROR"}, str(error))
    return {"CANCELLED"}


def refusing(
    execute: Callable[[AnyOperator, bpy.types.Context], Result],
) -> Callable[[AnyOperator, bpy.types.Context], Result]:
    """An `execute` that reports an EmoteError and cancels; other errors are raised with their traceback."""

    @functools.wraps(execute)
    def execute_or_refuse(self: AnyOperator, context: bpy.types.Context) -> Result:
        try:
            return execute(self, context)
        except EmoteError as error:
            return refuse(self, error)

    return execute_or_refuse
