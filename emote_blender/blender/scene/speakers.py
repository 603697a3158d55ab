"""Who speaks a strip, and with which emotion, by the names of strip, channel and sound file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import bpy

from ...emotion import EMOTIONS
from ..head.rig import armature_of_head
from ..narrow import mesh_of
from .placed_strip import PlacedStrip
from .unheard import around

# Words that many characters' names have in common.
_COMMON = frozenset(
    "armature avatar body char character chr collection dialogue eyes face geo geometry grp head headrig mesh metarig "
    "model node object rig root skeleton the vrm open emote".split()
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[^\W\d_A-Z]+|\d+")
_EMOTION_OF = {
    **{name: name for name in EMOTIONS},
    **dict.fromkeys(("joy", "joyful", "glad", "cheerful", "laughing"), "happy"),
    **dict.fromkeys(("sadness", "crying", "sorrow"), "sad"),
    **dict.fromkeys(("surprised", "astonished", "shocked"), "surprise"),
    **dict.fromkeys(("afraid", "scared", "fearful"), "fear"),
    **dict.fromkeys(("disgusted",), "disgust"),
    **dict.fromkeys(("angry", "furious", "mad", "shouting"), "anger"),
    **dict.fromkeys(("contemptuous", "scornful"), "contempt"),
}


def names_around(placed: PlacedStrip) -> list[str]:
    """The names that may say who speaks a strip, in the order in which they count: strip, channel, sound file."""
    strip = placed.strip
    _, channel = next(around(placed.owner, strip))
    names = [strip.name, channel.name]
    if strip.sound is not None:
        names.append(PurePath(strip.sound.filepath.replace("\\", "/")).stem)
    return names


def speaker_among(names: Iterable[str], heads: Sequence[bpy.types.Object]) -> bpy.types.Object | None:
    """The head whose name is in the first of these names that has one head's; the only head if there is one.

    Args:
        names: what may name the speaker (`names_around`).
        heads: mesh objects of the heads.
    """
    if len(heads) == 1:
        return heads[0]
    words_of = {head.name: _words_of_head(head) for head in heads}
    # A word that all heads have does not distinguish them.
    shared = set.intersection(*words_of.values()) if words_of else set()
    for name in names:
        words = set(_words(name))
        hits = {head.name: len((words_of[head.name] - shared) & words) for head in heads}
        most = max(hits.values(), default=0)
        best = [head for head in heads if hits[head.name] == most]
        if most and len(best) == 1:
            return best[0]
    return None


def emotion_in(names: Iterable[str]) -> str:
    """The emotion that the first of these names with one says, one of EMOTIONS; empty if none does."""
    return next((_EMOTION_OF[word] for name in names for word in _words(name) if word in _EMOTION_OF), "")


def _words(name: str) -> list[str]:
    """The words of a name in lower case: `AnnLine_03` gives ann, line, 03."""
    return [word.lower() for word in _WORD.findall(name)]


def _words_of_head(head: bpy.types.Object) -> set[str]:
    """The words that name a head: its own, its mesh's, its armature's, and those of the collections that it is in."""
    names = [head.name, mesh_of(head).name]
    armature = armature_of_head(head)
    if armature is not None:
        names += [armature.name, *([armature.data.name] if armature.data is not None else [])]
    names += [collection.name for collection in head.users_collection]
    return {word for name in names for word in _words(name) if word not in _COMMON and not word.isdigit()}
