"""Run in a fresh Blender: install the zip in argv[1], use it, take it away; prints what was seen as JSON.

argv[2] is a sound file, argv[3] a folder to write to, argv[4] "inference" or "" (no torch here).
"""

import hashlib
import json
import sys
from pathlib import Path

import bpy

ZIP, AUDIO, OUTPUT, INFERENCE = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4] == "inference"
MODULE = "bl_ext.user_default.emote_blender"
HEAVY = ("torch", "transformers", "scipy")


def state() -> dict:
    """What an add-on can leave behind."""
    handlers = bpy.app.handlers
    return {
        "types": sorted(name for name in dir(bpy.types) if "emote" in name.lower()),
        "operators": sorted(dir(bpy.ops.emote)),
        "scene": hasattr(bpy.types.Scene, "emote"),
        "handlers": {
            name: len(getattr(handlers, name)) for name in dir(handlers) if isinstance(getattr(handlers, name), list)
        },
    }


def digest(folder: Path) -> dict:
    """The files of a folder and their contents, but for Python's own caches."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


before = state()
bpy.ops.extensions.package_install_files(repo="user_default", filepath=ZIP, enable_on_install=True)
enabled = MODULE in bpy.context.preferences.addons
folder = Path(sys.modules[MODULE].__file__).parent
installed = digest(folder)
seen = {
    "enabled": enabled,
    "heavy_after_enabling": [name for name in HEAVY if name in sys.modules],
    "operators": sorted(dir(bpy.ops.emote)),
}

bpy.ops.emote.add_head(head="open_head")
head = bpy.context.object
seen["shape_keys"] = len(head.data.shape_keys.key_blocks)

registration = sys.modules[f"{MODULE}.blender.registration"]
if INFERENCE:
    seen["generate"] = list(bpy.ops.emote.generate(audio=AUDIO, frame_start=1, emotion="ANGER", intensity=2.0))
    action = head.data.shape_keys.animation_data.action
    seen["action"] = action.name
    channelbags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    seen["curves"] = sum(len(bag.fcurves) for bag in channelbags)
    seen["keys"] = max(len(curve.keyframe_points) for bag in channelbags for curve in bag.fcurves)
    seen["jaw_moves"] = max(
        abs(point.co[1])
        for bag in channelbags
        for curve in bag.fcurves
        if '"jaw"' in curve.data_path
        for point in curve.keyframe_points
    )
    motion = OUTPUT / "through command.npz"
    seen["command"] = registration.run_command(["generate", AUDIO, "-o", str(motion), "--emotion", "happy"])
    seen["command_wrote"] = motion.is_file()
    seen["apply_motion"] = list(bpy.ops.emote.apply_motion(filepath=str(motion), frame_start=1))
else:
    seen["poll_generate"] = bpy.ops.emote.generate.poll()
    seen["command"] = registration.run_command(["info", "open_head"])
seen["bad_command"] = registration.run_command(["generate", str(OUTPUT / "no such.wav"), "-o", str(OUTPUT / "x.npz")])
seen["written_into_the_addon"] = sorted(set(digest(folder).items()) ^ set(installed.items()))

bpy.ops.preferences.addon_disable(module=MODULE)
after = state()
seen["left_behind"] = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
bpy.ops.preferences.addon_enable(module=MODULE)
seen["enabled_again"] = MODULE in bpy.context.preferences.addons and hasattr(bpy.types.Scene, "emote")
bpy.ops.preferences.addon_disable(module=MODULE)
print(json.dumps(seen))
