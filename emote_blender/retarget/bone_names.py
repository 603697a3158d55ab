"""Which bones of an armature are named like a jaw, a neck, a head or an eye, in the conventions of many rigs.

Names alone are not proof: Rigify calls the points of the jaw line `jaw.L`, and a control may deform nothing. Callers
check the vertices that a bone moves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

ROLES = ("jaw", "neck", "head", "left_eye", "right_eye")

_LEFT, _RIGHT = {"l", "left", "lt", "lf", "左"}, {"r", "right", "rt", "rg", "右"}
# Words that say how a rig is built, not what a bone moves.
_FILLERS = set(
    "def org ctrl ctl con control controller c x m mid center centre jnt joint jt bone bn bip biped adj base cc facial "
    "face j sk skel rig bind skin anim fk valve mixamorig character genesis b main master md root deform fx g".split()
)
# A bone with one of these words is not the joint itself.
_NEVER = set(
    "top end nub tip ik target targets aim track ref look teeth tooth tongue corner line lip lips twist1 brow "
    "brows lid lids lash lashes eyelid eyelids eyebrow socket inner outer shadow highlight bag crease hair tail light "
    "scale tweak helper pole parent mch proxy inv cheek ear ears nose pupil iris parallel blink squint hat collar "
    "offset space slot attach camera drv muscle".split()
)
_JAW_EXTRA = set("lower low lo bottom open drop rot rotate hinge".split())
_NECK_EXTRA = set("lower low lo twist base first upper".split())
_COMPOUNDS = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"lowerjaw", " lower jaw "),
        (r"upperjaw", " upper jaw "),
        (r"jaw(bone|root|master|drop|open)", r" jaw \1 "),
        (r"neck(lower|upper|twist)", r" neck \1 "),
        (r"eye(ball)", " eye "),
        (r"(left|right)_?eye(?![a-z]*(lid|brow|lash))", r" \1 eye "),
        (r"eye_?(left|right)", r" eye \1 "),
        (r"(?<![a-z])([lr])eye(?![a-z])", r" \1 eye "),
        (r"(?<![a-z])eye([lr])(?![a-z])", r" eye \1 "),
    )
]
_JAPANESE = {"下顎": "jaw", "顎": "jaw", "あご": "jaw", "アゴ": "jaw", "首": "neck", "頭": "head", "目": "eye"}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class BoneName:
    """What a bone's name says.

    Attributes:
        name: the name.
        role: one of ROLES.
        certainty: 0 to 1: 1 for a name that means nothing else, less for a word that is used for more than one thing.
    """

    name: str
    role: str
    certainty: float


def bones_by_role(names: Iterable[str]) -> dict[str, list[BoneName]]:
    """The bones whose names fit each role, most certain first, otherwise in the given order; roles without are missing.

    Args:
        names: names of an armature's bones.
    """
    found: dict[str, list[BoneName]] = {}
    for name in names:
        bone = read_bone_name(name)
        if bone is not None:
            found.setdefault(bone.role, []).append(bone)
    return {role: sorted(found[role], key=lambda bone: -bone.certainty) for role in ROLES if role in found}


def read_bone_name(name: str) -> BoneName | None:
    """What a bone's name says, or None if it is none of a face's joints."""
    words = _words(name)
    if not words:
        return None
    sides = {"left_eye": bool(set(words) & _LEFT), "right_eye": bool(set(words) & _RIGHT)}
    sided = any(sides.values())
    meaning = [word for word in words if word not in _FILLERS | _LEFT | _RIGHT and not word.isdigit()]
    if set(meaning) & _NEVER or not meaning:
        return None
    rest = set(meaning)
    # Rigify's master_eye turns the lids and the brow too.
    if rest == {"eye"} and "master" not in words and sum(sides.values()) == 1:
        return BoneName(name, next(role for role, here in sides.items() if here), 1.0)
    if sided:
        return None
    for role, words_of_role, extra, certainty in (
        ("jaw", {"jaw", "mandible"}, _JAW_EXTRA, 1.0),
        ("neck", {"neck"}, _NECK_EXTRA, 1.0),
        ("head", {"head"}, set(), 1.0),
        ("jaw", {"chin"}, _JAW_EXTRA, 0.4),
        ("jaw", {"mouth"}, _JAW_EXTRA, 0.2),
    ):
        if rest & words_of_role and rest <= words_of_role | extra:
            # "jaw 2" is more often a copy or an end than "jaw"; a MetaHuman's FACIAL_C_Neck1Root is a part of the skin.
            doubt = 0.05 * (role == "jaw" and words[-1].isdigit()) + 0.5 * (role != "jaw" and words[0] == "facial")
            return BoneName(name, role, certainty - doubt)
    return None


def _words(name: str) -> list[str]:
    """The words of a name in lower case, without the namespace before them."""
    text = unicodedata.normalize("NFKC", re.split(r"[:|]", name)[-1])
    for japanese, english in _JAPANESE.items():
        text = text.replace(japanese, f" {english} ")
    text = text.replace("左", " left ").replace("右", " right ").replace("両", " both ")
    text = _CAMEL.sub(" ", text)
    for pattern, replacement in _COMPOUNDS:
        text = pattern.sub(replacement, text)
    return re.findall(r"[^\W\d_]+|\d+", text.lower())
