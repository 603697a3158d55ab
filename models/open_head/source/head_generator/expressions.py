"""The 50 expression directions: ARKit's names with tongueUp, without those of the jaw joint (jawOpen, Left, Right).

Trained models depend on the order and the meaning of the directions; both are part of the head's contract.
"""

import numpy as np

from . import brow_shapes as brow
from . import eye_shapes as eye
from . import jaw_and_tongue_shapes as jaw
from . import mouth_shapes as mouth

# one entry per component or pair; the right component of a pair mirrors the left one
EYE_SHAPES = {
    "eyeBlink": eye.eye_blink,
    "eyeLookDown": eye.eye_look_down,
    "eyeLookIn": eye.eye_look_in,
    "eyeLookOut": eye.eye_look_out,
    "eyeLookUp": eye.eye_look_up,
    "eyeSquint": eye.eye_squint,
    "eyeWide": eye.eye_wide,
}
WHOLE_SHAPES = {
    "jawForward": jaw.jaw_forward,
    "mouthClose": jaw.mouth_close,
    "mouthFunnel": mouth.mouth_funnel,
    "mouthPucker": mouth.mouth_pucker,
    "mouthRollLower": mouth.mouth_roll_lower,
    "mouthRollUpper": mouth.mouth_roll_upper,
    "mouthShrugLower": mouth.mouth_shrug_lower,
    "mouthShrugUpper": mouth.mouth_shrug_upper,
    "cheekPuff": mouth.cheek_puff,
    "tongueOut": jaw.tongue_out,
    "tongueUp": jaw.tongue_up,
}
HALVED_SHAPES = {"browInnerUp": brow.brow_inner_up}
"""Defined for the left half; the component moves both halves."""
SIDED_SHAPES = {
    "mouth": mouth.mouth_left,
    "mouthSmile": mouth.mouth_smile,
    "mouthFrown": mouth.mouth_frown,
    "mouthDimple": mouth.mouth_dimple,
    "mouthStretch": mouth.mouth_stretch,
    "mouthPress": mouth.mouth_press,
    "mouthLowerDown": mouth.mouth_lower_down,
    "mouthUpperUp": mouth.mouth_upper_up,
    "browDown": brow.brow_down,
    "browOuterUp": brow.brow_outer_up,
    "cheekSquint": eye.cheek_squint,
    "noseSneer": brow.nose_sneer,
    **EYE_SHAPES,
}

EXPRESSION_NAMES = (
    *(name + "Left" for name in EYE_SHAPES),
    *(name + "Right" for name in EYE_SHAPES),
    *("jawForward", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp"),
    *("browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *("noseSneerLeft", "noseSneerRight", "tongueOut", "tongueUp"),
)


def expression_directions(face):
    """(V, 3, 50) displacements in metres, in the order of EXPRESSION_NAMES.

    Args:
        face: FaceCoordinates of the neutral head.
    """
    directions = {}
    for name, shape in WHOLE_SHAPES.items():
        displacement = shape(face)
        directions[name] = 0.5 * (displacement + face.mirrored(displacement))
    for name, shape in HALVED_SHAPES.items():
        displacement = shape(face)
        directions[name] = displacement + face.mirrored(displacement)
    directions = {name: face.carry_brows(displacement) for name, displacement in directions.items()}
    for name, shape in SIDED_SHAPES.items():
        left = face.carry_brows(shape(face))
        directions[name + "Left"], directions[name + "Right"] = left, face.mirrored(left)
    return np.stack([directions[name] for name in EXPRESSION_NAMES], -1)
