"""Example poses by component weights and jaw angle in radians; names without a side drive both sides."""

JAW_ANGLES = {f"jaw {angle} rad": ({}, angle) for angle in (0.0, 0.1, 0.2, 0.35)}

# components that are only visible with an open jaw, and a jaw angle for each
JAW_FOR_SHAPE = {"mouthClose": 0.25, "tongueOut": 0.25, "tongueUp": 0.17}

VISEMES = {
    "AA": ({"mouthLowerDown": 0.20, "mouthUpperUp": 0.15}, 0.32),
    "EE": ({"mouthSmile": 0.35, "mouthStretch": 0.35, "mouthLowerDown": 0.40, "mouthUpperUp": 0.25}, 0.07),
    "IH": ({"mouthStretch": 0.25, "mouthSmile": 0.10, "mouthLowerDown": 0.35, "mouthUpperUp": 0.22}, 0.12),
    "OH": ({"mouthFunnel": 0.75, "mouthPucker": 0.20}, 0.20),
    "OO": ({"mouthPucker": 0.85, "mouthFunnel": 0.30}, 0.05),
    "MBP": ({"mouthClose": 0.40, "mouthPress": 0.45, "mouthRollLower": 0.20, "mouthRollUpper": 0.20}, 0.10),
    "FV": ({"mouthRollLower": 0.75, "mouthClose": 0.10, "mouthShrugLower": 0.20, "mouthUpperUp": 0.42}, 0.04),
    "L": ({"tongueUp": 1.0, "mouthLowerDown": 0.35, "mouthUpperUp": 0.25}, 0.17),
    "SH": ({"mouthFunnel": 0.65, "mouthPucker": 0.25, "mouthLowerDown": 0.15, "mouthUpperUp": 0.15}, 0.04),
}

EMOTIONS = {
    "neutral": ({}, 0),
    "happy": (
        {
            "mouthSmile": 0.90,
            "cheekSquint": 0.60,
            "eyeSquint": 0.20,
            "mouthUpperUp": 0.25,
            "browOuterUp": 0.15,
            "browInnerUp": 0.15,
            "mouthLowerDown": 0.12,
        },
        0.07,
    ),
    "sad": (
        {
            "mouthFrown": 0.80,
            "browInnerUp": 1.0,
            "browDown": 0.12,
            "mouthShrugLower": 0.50,
            "eyeLookDown": 0.25,
            "eyeBlink": 0.15,
            "eyeSquint": 0.10,
        },
        0,
    ),
    "surprise": ({"browInnerUp": 0.90, "browOuterUp": 0.90, "eyeWide": 0.90, "mouthFunnel": 0.25}, 0.26),
    "fear": (
        {
            "browInnerUp": 1.0,
            "browOuterUp": 0.25,
            "browDown": 0.35,
            "eyeWide": 1.0,
            "mouthStretch": 0.80,
            "mouthLowerDown": 0.45,
            "mouthUpperUp": 0.10,
        },
        0.10,
    ),
    "disgust": (
        {
            "noseSneer": 1.0,
            "mouthUpperUp": 0.55,
            "browDown": 0.60,
            "eyeSquint": 0.60,
            "mouthFrown": 0.45,
            "mouthShrugLower": 0.40,
            "cheekSquint": 0.40,
        },
        0.02,
    ),
    "anger": (
        {
            "browDown": 1.0,
            "eyeSquint": 0.30,
            "eyeWide": 0.30,
            "noseSneer": 0.40,
            "mouthPress": 0.60,
            "mouthFrown": 0.40,
            "mouthShrugLower": 0.30,
        },
        0,
    ),
    "contempt": (
        {
            "mouthSmileLeft": 0.50,
            "mouthDimpleLeft": 0.90,
            "cheekSquintLeft": 0.30,
            "browOuterUpLeft": 0.55,
            "browDownRight": 0.35,
            "eyeBlink": 0.14,
            "mouthPressLeft": 0.30,
        },
        0,
    ),
}
