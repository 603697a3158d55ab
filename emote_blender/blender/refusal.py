"""How operators refuse: an EmoteError becomes a report, and nothing was done."""

from __future__ import annotations

import functools
from collections.abc import Callable

import bpy

from ..errors import Cancelled, EmoteError

Execute = Callable[[bpy.types.Operator, bpy.types.Context], set[str]]


def refuse(operator: bpy.types.Operator, error: EmoteError) -> set[str]:
    """Report the error's sentence; returns what the operator returns then."""
    operator.report({"INFO" if isinstance(error, Cancelled) else "ERROR"}, str(error))
    return {"CANCELLED"}


def refusing(execute: Execute) -> Execute:
    """An operator's `execute` that reports an EmoteError; everything else is raised with its traceback."""

    @functools.wraps(execute)
    def execute_or_refuse(self: bpy.types.Operator, context: bpy.types.Context) -> set[str]:
        try:
            return execute(self, context)
        except EmoteError as error:
            return refuse(self, error)

    return execute_or_refuse
