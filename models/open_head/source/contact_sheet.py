"""Render contact sheets of the open head.

Usage: python models/open_head/source/contact_sheet.py [SHEET ...] [-o FOLDER]. The sheets are turntable, expressions,
jaw, visemes, emotions and identity. It needs bpy and pillow. Workbench takes one or two seconds per picture; --samples
12 renders with Cycles.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).resolve().parent
REPOSITORY = SOURCE.parents[2]
sys.path[:0] = [str(REPOSITORY), str(SOURCE)]

GAP_PIXELS = 4


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes:
        label: text in the picture's corner.
        weights: component weights by name; a name without a side drives both sides.
        jaw: jaw opening, radians.
        yaw: turn of the camera to the character's left, degrees.
        pitch: elevation of the camera, degrees.
    """

    label: str
    weights: dict
    jaw: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0


@dataclass(frozen=True)
class Sheet:
    """Pictures in rows, all of one size and with one camera frame.

    Attributes:
        shots: the pictures.
        columns: pictures in a row.
        size: width and height of a picture, pixels.
        centre: (3,) point that the camera looks at, metres.
        height: height of the frame at that point, metres.
    """

    shots: list
    columns: int
    size: tuple
    centre: tuple
    height: float


def sheets(face_model):
    """All sheets by name."""
    from example_poses import EMOTIONS, JAW_ANGLES, JAW_FOR_SHAPE, VISEMES

    def poses(table, yaws):
        return [Shot(name, *pose, yaw=yaw) for yaw in yaws for name, pose in table.items()]

    turns = [(0, 0), (35, 0), (90, 0), (145, 8), (180, 8), (-35, -12)]
    expressions = [Shot(n, {n: 1.0}, JAW_FOR_SHAPE.get(n, 0.0), 14) for n in face_model.expression_names]
    identities = [Shot(f"{n} {w:+}", {n: w}, yaw=25) for w in (1.5, -1.5) for n in face_model.shape_names]
    return {
        "turntable": Sheet([Shot(f"{y}", {}, 0, y, p) for y, p in turns], 6, (320, 400), (0, -0.020, 0), 0.365),
        "expressions": Sheet(expressions, 10, (220, 240), (0, -0.010, 0.02), 0.20),
        "jaw": Sheet(poses(JAW_ANGLES, (0, 35, 85)), 4, (250, 280), (0, -0.02, 0.02), 0.22),
        "visemes": Sheet(poses(VISEMES, (0, 40)), 9, (230, 240), (0, -0.035, 0.03), 0.145),
        "emotions": Sheet(poses(EMOTIONS, (0, 32)), 8, (280, 310), (0, -0.008, 0.02), 0.22),
        "identity": Sheet(identities, 12, (230, 260), (0, -0.015, 0), 0.29),
    }


def posed(face_model, shot):
    """(V, 3) vertices of a shot, metres."""
    names = (*face_model.shape_names, *face_model.expression_names)
    coefficients = np.zeros(len(names))
    for name, weight in shot.weights.items():
        for each in [name] if name in names else [name + "Left", name + "Right"]:
            coefficients[names.index(each)] = weight
    shape, expression = np.split(coefficients, [face_model.num_shape])
    return face_model.vertices(expression, [shot.jaw, 0, 0], shape=shape)


def photograph(face_model, sheet, samples):
    """The sheet as a PIL image; `samples` as in `Studio`."""
    from PIL import Image, ImageDraw
    from studio import Studio

    studio = Studio(face_model, sheet.size, samples)
    width, height = (size + GAP_PIXELS for size in sheet.size)
    rows = -(-len(sheet.shots) // sheet.columns)
    page = Image.new("RGB", (sheet.columns * width + GAP_PIXELS, rows * height + GAP_PIXELS), (40, 40, 44))
    draw = ImageDraw.Draw(page)
    with tempfile.TemporaryDirectory() as folder:
        for index, shot in enumerate(sheet.shots):
            path = Path(folder) / f"{index}.png"
            studio.shoot(posed(face_model, shot), path, shot.yaw, shot.pitch, sheet.centre, sheet.height)
            corner = GAP_PIXELS + index % sheet.columns * width, GAP_PIXELS + index // sheet.columns * height
            page.paste(Image.open(path).convert("RGB"), corner)
            draw.text((corner[0] + 5, corner[1] + 3), shot.label, fill=(20, 20, 25))
    return page


def main(arguments=None) -> None:
    """Render the chosen sheets, by default all."""
    from emote_blender.flame.model import FaceModel

    parser = argparse.ArgumentParser(description="Render contact sheets of the open head.")
    parser.add_argument("sheets", nargs="*", help="names of sheets (default: all)")
    parser.add_argument("-o", "--output", type=Path, default=REPOSITORY / "out" / "open_head")
    parser.add_argument("--head", type=Path, default=SOURCE.parent, help="head folder")
    parser.add_argument("--samples", type=int, default=0, help="Cycles samples; 0 uses Workbench")
    options = parser.parse_args(arguments)
    face_model = FaceModel.load(options.head)
    every = sheets(face_model)
    unknown = sorted(set(options.sheets) - set(every))
    if unknown:
        parser.error(f"no sheet {', '.join(unknown)}; choose from {', '.join(every)}")
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.sheets or every:
        start = time.perf_counter()
        path = options.output / f"{name}.png"
        photograph(face_model, every[name], options.samples).save(path, optimize=True)
        print(f"{path} {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
