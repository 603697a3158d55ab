"""What the shape keys of test characters do, made of the open head's components: (V, 3) displacements by name.

Lengths are metres in the face model's axes, and a value of 1 is the whole shape. `SPELLINGS` writes ARKit's names as
exporters do.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel

JAW_OPEN, JAW_SIDE = 0.4, 0.12  # radians of the jaw at jawOpen, jawLeft and jawRight = 1
_CLOSE_ANGLE = 0.25  # radians of the jaw that the component mouthClose closes at 1

Pose = Mapping[str, float]
"""Weights of components by name; a name without Left or Right means both, and `jaw` is an angle in radians."""

OCULUS_POSES: dict[str, Pose] = {
    "sil": {},
    "PP": {"mouthPress": 0.45, "mouthRollLower": 0.2, "mouthRollUpper": 0.2},
    "FF": {"mouthRollLower": 0.75, "mouthShrugLower": 0.2, "mouthUpperUp": 0.42, "jaw": 0.04},
    "TH": {"mouthLowerDown": 0.3, "mouthUpperUp": 0.2, "tongueOut": 0.4, "jaw": 0.12},
    "DD": {"mouthLowerDown": 0.3, "mouthUpperUp": 0.2, "tongueUp": 0.7, "jaw": 0.1},
    "kk": {"mouthLowerDown": 0.3, "mouthUpperUp": 0.2, "jaw": 0.12},
    "CH": {"mouthFunnel": 0.65, "mouthPucker": 0.25, "mouthLowerDown": 0.15, "mouthUpperUp": 0.15, "jaw": 0.04},
    "SS": {"mouthStretch": 0.3, "mouthLowerDown": 0.3, "mouthUpperUp": 0.2, "jaw": 0.03},
    "nn": {"mouthLowerDown": 0.3, "mouthUpperUp": 0.2, "tongueUp": 1.0, "jaw": 0.12},
    "RR": {"mouthFunnel": 0.5, "mouthPucker": 0.2, "jaw": 0.1},
    "aa": {"mouthLowerDown": 0.2, "mouthUpperUp": 0.15, "jaw": 0.32},
    "E": {"mouthStretch": 0.25, "mouthSmile": 0.2, "mouthLowerDown": 0.35, "mouthUpperUp": 0.22, "jaw": 0.15},
    "ih": {"mouthSmile": 0.35, "mouthStretch": 0.35, "mouthLowerDown": 0.4, "mouthUpperUp": 0.25, "jaw": 0.07},
    "oh": {"mouthFunnel": 0.75, "mouthPucker": 0.2, "jaw": 0.2},
    "ou": {"mouthPucker": 0.85, "mouthFunnel": 0.3, "jaw": 0.05},
}
"""The 15 visemes of Oculus and Meta."""

EMOTION_POSES: dict[str, Pose] = {
    "joy": {"mouthSmile": 0.9, "cheekSquint": 0.6, "mouthUpperUp": 0.25, "jaw": 0.07},
    "anger": {"browDown": 1.0, "noseSneer": 0.4, "mouthPress": 0.6, "mouthFrown": 0.4},
    "sorrow": {"mouthFrown": 0.8, "browInnerUp": 1.0, "eyeBlink": 0.15},
    "fun": {"mouthSmile": 0.7, "eyeSquint": 0.5},
    "surprise": {"browInnerUp": 0.9, "browOuterUp": 0.9, "eyeWide": 0.9, "jaw": 0.26},
}


@cache
def open_head_model() -> FaceModel:
    """The open head, loaded once."""
    return FaceModel.load(find_head("open_head"))


def posed(pose: Pose) -> np.ndarray:
    """(V, 3) displacement of the open head's vertices in a pose."""
    model = open_head_model()
    weights = np.zeros(model.num_expression, np.float32)
    for name, weight in pose.items():
        if name != "jaw":
            for each in [name] if name in model.expression_names else [name + "Left", name + "Right"]:
                weights[model.expression_names.index(each)] = weight
    return model.vertices(weights, [pose.get("jaw", 0.0), 0.0, 0.0]) - model.v_template


@cache
def arkit_shapes(jaw: bool) -> dict[str, np.ndarray]:
    """The 52 shapes of ARKit, and tongueUp; without jawOpen, jawLeft and jawRight if a bone moves the jaw.

    mouthClose = 1 closes the lips of a jaw that is open by 1.
    """
    model = open_head_model()
    shapes = {name: model.expression_dirs[:, :, i].copy() for i, name in enumerate(model.expression_names)}
    shapes["mouthClose"] *= JAW_OPEN / _CLOSE_ANGLE
    if jaw:
        shapes["jawOpen"] = posed({"jaw": JAW_OPEN})
        shapes["mouthClose"] = posed({"jaw": JAW_OPEN, "mouthClose": JAW_OPEN / _CLOSE_ANGLE}) - shapes["jawOpen"]
        for name, angle in (("jawLeft", JAW_SIDE), ("jawRight", -JAW_SIDE)):
            rest = np.zeros(model.num_expression, np.float32)
            shapes[name] = model.vertices(rest, [0.0, angle, 0.0]) - model.v_template
    return shapes


def vrm_shapes(spelling: str) -> dict[str, np.ndarray]:
    """Vowels, blinks and emotions as VRM 0 ("A", "Joy"), VRM 1 ("aa", "happy") or VRoid ("Fcl_MTH_A") call them."""
    names = {
        "vrm0": "A I U E O Blink Blink_L Blink_R Joy Angry Sorrow Fun Surprised LookUp LookDown",
        "vrm1": "aa ih ou ee oh blink blinkLeft blinkRight happy angry sad relaxed surprised lookUp lookDown",
        "vroid": "Fcl_MTH_A Fcl_MTH_I Fcl_MTH_U Fcl_MTH_E Fcl_MTH_O Fcl_EYE_Close Fcl_EYE_Close_L Fcl_EYE_Close_R "
        "Fcl_ALL_Joy Fcl_ALL_Angry Fcl_ALL_Sorrow Fcl_ALL_Fun Fcl_ALL_Surprised Fcl_EYE_LookUp Fcl_EYE_LookDown",
    }[spelling].split()
    vowels = [OCULUS_POSES[name] for name in ("aa", "ih", "ou", "E", "oh")]
    blinks: list[Pose] = [{"eyeBlink": 1.0}, {"eyeBlinkLeft": 1.0}, {"eyeBlinkRight": 1.0}]
    emotions = [EMOTION_POSES[name] for name in ("joy", "anger", "sorrow", "fun", "surprise")]
    looks: list[Pose] = [{"eyeLookUp": 1.0}, {"eyeLookDown": 1.0}]
    return {name: posed(pose) for name, pose in zip(names, [*vowels, *blinks, *emotions, *looks], strict=True)}


def oculus_shapes(prefix: str = "viseme_", lower: bool = False) -> dict[str, np.ndarray]:
    """The 15 visemes with a prefix such as "vrc.v_", the two blinks, and nothing else."""
    shapes = {prefix + (name.lower() if lower else name): posed(pose) for name, pose in OCULUS_POSES.items()}
    return shapes | {f"eyeBlink{side}": posed({f"eyeBlink{side}": 1.0}) for side in ("Left", "Right")}


_REALLUSION: dict[str, Pose] = {
    "V_Open": {"mouthLowerDown": 0.3, "mouthUpperUp": 0.15, "jaw": 0.12},
    "V_Explosive": {"mouthPress": 0.5, "mouthRollLower": 0.2, "mouthRollUpper": 0.2},
    "V_Dental_Lip": {"mouthRollLower": 0.75, "mouthUpperUp": 0.42},
    "V_Tight_O": {"mouthFunnel": 0.6, "mouthPucker": 0.4},
    "V_Tight": {"mouthPucker": 0.85, "mouthFunnel": 0.3},
    "V_Wide": {"mouthStretch": 0.6, "mouthSmile": 0.3},
    "V_Affricate": {"mouthFunnel": 0.65, "mouthUpperUp": 0.2, "mouthLowerDown": 0.2},
    "V_Lip_Open": {"mouthUpperUp": 0.4, "mouthLowerDown": 0.4},
    "V_Tongue_up": {"tongueUp": 1.0},
    "Jaw_Open": {"jaw": JAW_OPEN},
    "Mouth_Close": {"mouthClose": 1.0},
    "Mouth_Smile_L": {"mouthSmileLeft": 1.0},
    "Mouth_Smile_R": {"mouthSmileRight": 1.0},
    "Mouth_Frown_L": {"mouthFrownLeft": 1.0},
    "Mouth_Frown_R": {"mouthFrownRight": 1.0},
    "Mouth_Pucker": {"mouthPucker": 1.0},
    "Mouth_Funnel": {"mouthFunnel": 1.0},
    "Mouth_Down_Lower_L": {"mouthLowerDownLeft": 1.0},
    "Mouth_Down_Lower_R": {"mouthLowerDownRight": 1.0},
    "Mouth_Up_Upper_L": {"mouthUpperUpLeft": 1.0},
    "Mouth_Up_Upper_R": {"mouthUpperUpRight": 1.0},
    "Eye_Blink_L": {"eyeBlinkLeft": 1.0},
    "Eye_Blink_R": {"eyeBlinkRight": 1.0},
    "Brow_Raise_Inner_L": {"browInnerUp": 0.5},
    "Brow_Raise_Inner_R": {"browInnerUp": 0.5},
    "Brow_Raise_Outer_L": {"browOuterUpLeft": 1.0},
    "Brow_Raise_Outer_R": {"browOuterUpRight": 1.0},
    "Brow_Drop_L": {"browDownLeft": 1.0},
    "Brow_Drop_R": {"browDownRight": 1.0},
    "Cheek_Raise_L": {"cheekSquintLeft": 1.0},
    "Cheek_Raise_R": {"cheekSquintRight": 1.0},
    "Nose_Sneer_L": {"noseSneerLeft": 1.0},
    "Nose_Sneer_R": {"noseSneerRight": 1.0},
}

_METAHUMAN: dict[str, Pose] = {
    "jawOpen": {"jaw": JAW_OPEN},
    "mouthCornerPullL": {"mouthSmileLeft": 1.0},
    "mouthCornerPullR": {"mouthSmileRight": 1.0},
    "mouthCornerDepressL": {"mouthFrownLeft": 1.0},
    "mouthCornerDepressR": {"mouthFrownRight": 1.0},
    "mouthLowerLipDepressL": {"mouthLowerDownLeft": 1.0},
    "mouthLowerLipDepressR": {"mouthLowerDownRight": 1.0},
    "mouthUpperLipRaiseL": {"mouthUpperUpLeft": 1.0},
    "mouthUpperLipRaiseR": {"mouthUpperUpRight": 1.0},
    "mouthStretchL": {"mouthStretchLeft": 1.0},
    "mouthStretchR": {"mouthStretchRight": 1.0},
    "eyeBlinkL": {"eyeBlinkLeft": 1.0},
    "eyeBlinkR": {"eyeBlinkRight": 1.0},
    "browDownL": {"browDownLeft": 1.0},
    "browDownR": {"browDownRight": 1.0},
    "browRaiseInL": {"browInnerUp": 0.5},
    "browRaiseInR": {"browInnerUp": 0.5},
    "browRaiseOuterL": {"browOuterUpLeft": 1.0},
    "browRaiseOuterR": {"browOuterUpRight": 1.0},
}
# Shapes that a MetaHuman divides among the quarters of the mouth.
_QUARTERED = {
    "mouthFunnel": "mouthFunnel",
    "mouthLipsPurse": "mouthPucker",
    "mouthLipsTogether": "mouthClose",
}


def reallusion_shapes(jaw: bool = True) -> dict[str, np.ndarray]:
    """Shapes as Character Creator 3 and 4 call them; visemes that leave the jaw to Jaw_Open, or to the bone."""
    scale = JAW_OPEN / _CLOSE_ANGLE
    shapes = {name: posed(pose) for name, pose in _REALLUSION.items() if jaw or name != "Jaw_Open"}
    return shapes | {"Mouth_Close": scale * shapes["Mouth_Close"]}


def metahuman_shapes(jaw: bool = True) -> dict[str, np.ndarray]:
    """Shapes as the controls of a MetaHuman are called: CTRL_expressions_..., some divided among four quarters."""
    shapes = {name: posed(pose) for name, pose in _METAHUMAN.items() if jaw or name != "jawOpen"}
    template, arkit = open_head_model().v_template, arkit_shapes(jaw)
    left = np.clip(0.5 + template[:, :1] / 0.02, 0.0, 1.0)
    upper = open_head_model().regions["lips_upper"][:, None].clip(0, 1)
    parts = {"UL": upper * left, "UR": upper * (1 - left), "DL": (1 - upper) * left, "DR": (1 - upper) * (1 - left)}
    for name, source in _QUARTERED.items():
        shapes |= {name + quarter: arkit[source] * part for quarter, part in parts.items()}
    return {f"CTRL_expressions_{name}": shape for name, shape in shapes.items()}


def _words(name: str) -> list[str]:
    return re.findall("[A-Z]?[a-z]+", name)


def _short_side(name: str, template: str) -> str:
    for side in ("Left", "Right"):
        if name.endswith(side):
            return template.format(name.removesuffix(side), side[0])
    return name


def _side_first(name: str) -> str:
    for side in ("Left", "Right"):
        if name.endswith(side):
            stem = name.removesuffix(side)
            return side.lower() + stem[0].upper() + stem[1:]
    return name


def _side_inside(name: str) -> str:
    """The side as the second word: eyeLeftBlink."""
    for side in ("Left", "Right"):
        if name.endswith(side):
            first, *rest = _words(name.removesuffix(side))
            return first + side + "".join(rest)
    return name


SPELLINGS: dict[str, Callable[[str], str]] = {
    "camel": lambda name: name,
    "pascal": lambda name: name[0].upper() + name[1:],
    "snake": lambda name: "_".join(_words(name)).lower(),
    "kebab": lambda name: "-".join(_words(name)).lower(),
    "spaces": lambda name: " ".join(word.capitalize() for word in _words(name)),
    "upper": str.upper,
    "underscore_L": lambda name: _short_side(name, "{}_{}"),
    "dot_L": lambda name: _short_side(name, "{}.{}"),
    "snake_l": lambda name: (
        "_".join(_words(_short_side(name, "{}"))).lower()
        + (f"_{_words(name)[-1][0].lower()}" if _words(name)[-1] in ("Left", "Right") else "")
    ),
    "side_first": _side_first,
    "side_inside": _side_inside,
}
"""Ways to write ARKit's names, by name of the way."""


def spelled(shapes: dict[str, np.ndarray], spelling: str = "camel", prefix: str = "") -> dict[str, np.ndarray]:
    """The same shapes under other names."""
    return {prefix + SPELLINGS[spelling](name): shape for name, shape in shapes.items()}
