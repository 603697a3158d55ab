"""Every check on one head, and the fixes by their identifiers."""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ...errors import InputError
from ..takes.make_animatable import can_be_made_animatable, make_animatable
from . import ownership, playback, rig, shape_keys, sound, timing
from .problem import Check, Fix, Problem, in_order
from .subject import read_subject


@dataclass(frozen=True)
class Topic:
    """Checks that are shown in one row while they find nothing.

    Attributes:
        label: text of the row.
        checks: the checks.
    """

    label: str
    checks: tuple[Check, ...]


TOPICS = (
    Topic("Data", ownership.CHECKS),
    Topic("Shape keys", shape_keys.CHECKS),
    Topic("Rig", rig.CHECKS),
    Topic("Takes", playback.CHECKS),
    Topic("Timing", timing.CHECKS),
    Topic("Sound", sound.CHECKS),
)
FIXES: dict[str, Fix] = {
    **ownership.FIXES,
    **shape_keys.FIXES,
    **rig.FIXES,
    **playback.FIXES,
    **timing.FIXES,
    **sound.FIXES,
}


def problems(context: bpy.types.Context, head: bpy.types.Object) -> list[Problem]:
    """What keeps the takes of a head from playing and from being heard, the worst first."""
    return in_order(problem for found in problems_by_topic(context, head).values() for problem in found)


def problems_by_topic(context: bpy.types.Context, head: bpy.types.Object) -> dict[str, list[Problem]]:
    """The problems of a head by the labels of TOPICS; a head that cannot be animated at all has one, of its rig."""
    try:
        subject = read_subject(context, head)
    except InputError as error:
        if can_be_made_animatable(head):
            return {"Data": [Problem("ERROR", str(error), "MAKE_ANIMATABLE")]}
        return {"Rig": [Problem("ERROR", str(error), "JAW_NAME" if rig.unnamed_jaw(head) else None)]}
    return {topic.label: [found for check in topic.checks if (found := check(subject)) is not None] for topic in TOPICS}


def apply_fix(context: bpy.types.Context, head: bpy.types.Object, identifier: str) -> bpy.types.Object:
    """Mend one kind of problem on a head and return the head, which is another object if a linked one was overridden.

    Raises:
        InputError: if that is not possible.
    """
    if identifier == "MAKE_ANIMATABLE":  # without it there is no subject
        return make_animatable(context, head)
    if identifier == "JAW_NAME":
        rig.name_jaw(head)
    else:
        FIXES[identifier].apply(read_subject(context, head))
    return head


def worst(found: list[Problem]) -> Problem | None:
    """The worst problem that changes how the face moves or sounds; None if all is well."""
    serious = [problem for problem in found if problem.severity != "INFO"]
    return in_order(serious)[0] if serious else None


def worst_after(context: bpy.types.Context, head_uid: int) -> tuple[str, ...]:
    """The sentence of what keeps a head's new take from playing as it should; none if nothing does.

    Args:
        context: of the operator that made the take.
        head_uid: session identifier of the head's mesh object.
    """
    head = next((item for item in bpy.data.objects if item.session_uid == head_uid), None)
    found = worst(problems(context, head)) if head is not None else None
    return (found.sentence,) if found is not None else ()
