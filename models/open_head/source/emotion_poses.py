"""Write the open head's face for each emotion, as component weights and as a small picture.

Usage: python models/open_head/source/emotion_poses.py [-o FOLDER] [--pictures]. The faces are those that the open model
learns to make in a pause at the highest intensity (training/corpus/motion/emotion_styles.py). It writes poses.json
and, with --pictures (needs bpy and pillow; Cycles takes some seconds for each), one PNG for each emotion.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
REPOSITORY = SOURCE.parents[2]
PICTURE_SIZE = 96  # pixels
_OVERSAMPLING, _SAMPLES = 3, 24
_YAW_DEGREES = 12


def emotion_poses():
    """{emotion: {"expression": {component: weight}, "jaw": radians}} at the highest intensity."""
    from emote_blender.training.corpus.motion.emotion_styles import EMOTIONS, EXPRESSION_NAMES, resting_pose

    poses = {}
    for emotion in EMOTIONS:
        weights, jaw = resting_pose(emotion)
        used = {name: round(float(weight), 4) for name, weight in zip(EXPRESSION_NAMES, weights) if weight}
        poses[emotion] = {"expression": used, "jaw": jaw}
    return poses


def write_pictures(face_model, poses, folder):
    """Write EMOTION.png for each pose, with a transparent background."""
    from PIL import Image
    from studio import Studio

    size = PICTURE_SIZE * _OVERSAMPLING
    studio = Studio(face_model, (size, size), _SAMPLES)
    studio.scene.render.film_transparent = True
    studio.scene.render.image_settings.color_mode = "RGBA"
    names = face_model.expression_names
    with tempfile.TemporaryDirectory() as scratch:
        for emotion, pose in poses.items():
            expression = [pose["expression"].get(name, 0.0) for name in names]
            path = Path(scratch) / f"{emotion}.png"
            vertices = face_model.vertices(expression, [pose["jaw"], 0, 0])
            studio.shoot(vertices, path, yaw=_YAW_DEGREES, centre=(0, -0.008, 0.02), height=0.23)
            picture = Image.open(path).convert("RGBA").resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.LANCZOS)
            picture.save(folder / f"{emotion}.png", optimize=True)


def main(arguments=None) -> None:
    """Write the poses and, if asked for, the pictures."""
    parser = argparse.ArgumentParser(description="Write the open head's face for each emotion.")
    parser.add_argument("-o", "--output", type=Path, default=SOURCE.parent / "emotions")
    parser.add_argument("--pictures", action="store_true", help="render the pictures too")
    options = parser.parse_args(arguments)
    sys.path[:0] = [str(REPOSITORY), str(SOURCE)]
    from emote_blender.flame.model import FaceModel

    options.output.mkdir(parents=True, exist_ok=True)
    poses = emotion_poses()
    text = json.dumps({"format": 1, "poses": poses}, indent=1) + "\n"
    (options.output / "poses.json").write_text(text, encoding="utf-8")
    if options.pictures:
        write_pictures(FaceModel.load(SOURCE.parent), poses, options.output)
    total = sum(path.stat().st_size for path in options.output.iterdir())
    print(f"{len(poses)} emotions, {total / 1000:.0f} kB -> {options.output}")


if __name__ == "__main__":
    main()
