"""Run in a fresh Blender: install the zip in argv[1], use it, take it away; prints what was seen as JSON.

argv[2] is a sound file, argv[3] a folder to write to.
"""

import hashlib
import importlib.machinery
import json
import sys
from pathlib import Path
from typing import Any

import bpy

ZIP, AUDIO, OUTPUT = sys.argv[1], sys.argv[2], Path(sys.argv[3])
MODULE = "bl_ext.user_default.emote_blender"
BUNDLED = (
    *("onnxruntime", "espeakng_loader", "yaml", "py3langid"),
    *("pocketsphinx", "onnx_asr", "langcodes"),
)
HEAVY = (*BUNDLED, "torch", "transformers", "scipy", "soundfile", "safetensors", "av")


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


def places(names: tuple[str, ...]) -> dict:
    """Where libraries would be imported from; None for those that are not there."""
    importlib.invalidate_caches()
    found = {name: importlib.machinery.PathFinder.find_spec(name) for name in names}
    return {name: spec and spec.origin for name, spec in found.items()}


def largest_jaw_change(action: bpy.types.Action) -> float:
    """By how much a rotation channel of the jaw bone changes at most, in its own unit."""
    channelbags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    changes = [0.0]
    for curve in (curve for bag in channelbags for curve in bag.fcurves if '"jaw"' in curve.data_path):
        values = [point.co[1] for point in curve.keyframe_points]
        changes.append(max(values) - min(values))
    return max(changes)


before = state()
seen: dict[str, Any] = {"before": places(HEAVY)}
bpy.ops.extensions.package_install_files(repo="user_default", filepath=ZIP, enable_on_install=True)
folder = Path(sys.modules[MODULE].__file__).parent
installed = digest(folder)
seen |= {
    "enabled": MODULE in bpy.context.preferences.addons,
    "heavy_after_enabling": [name for name in HEAVY if name in sys.modules],
    "operators": sorted(dir(bpy.ops.emote)),
    "libraries": places((*BUNDLED, "torch", "scipy")),
}

bpy.ops.emote.add_head(head="open_head")
head = bpy.context.object
seen["shape_keys"] = len(head.data.shape_keys.key_blocks)

seen["generate"] = list(bpy.ops.emote.generate(audio=AUDIO, frame_start=1, emotion="ANGER", intensity=2.0))
action = head.emote.takes[-1].action
seen["action"] = action.name
channelbags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
seen["curves"] = sum(len(bag.fcurves) for bag in channelbags)
seen["keys"] = max(len(curve.keyframe_points) for bag in channelbags for curve in bag.fcurves)
seen["jaw_change"] = largest_jaw_change(action)
vertices = []
for frame in (1, 20, 40, 60):
    bpy.context.scene.frame_set(frame)
    evaluated = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    vertices.append([vertex.co[:] for vertex in evaluated.data.vertices])
seen["mesh_moves_metres"] = max(
    sum((a - b) ** 2 for a, b in zip(here, there)) ** 0.5
    for pose in vertices[1:]
    for here, there in zip(vertices[0], pose)
)

# Nobody types the words: they are recognised; one is corrected, and the button is pressed again.
strip = bpy.context.scene.sequence_editor_create().strips.new_sound("line", AUDIO, 1, 1)
bpy.ops.emote.generate(strip="line", emotion="ANGER", intensity=2.0)
seen["recognised"] = strip.emote.transcript
strip.emote.transcript = seen["corrected"] = "I told you never to open that door. Now look at what you have done!"
bpy.ops.emote.generate(strip="line", emotion="ANGER", intensity=2.0)
seen["after_correcting"] = [strip.emote.transcript, strip.emote.num_words, strip.emote.num_fitting]

register = sys.modules[f"{MODULE}.blender.register"]
motion = OUTPUT / "through command.npz"
words = ["--transcript", "I told you never to open that door. Now look at what you have done!"]
seen["command"] = register.run_command(["generate", AUDIO, "-o", str(motion), "--emotion", "happy", *words])
seen["command_wrote"] = motion.is_file()
seen["apply_motion"] = list(bpy.ops.emote.apply_motion(filepath=str(motion), frame_start=1))
seen["bad_command"] = register.run_command(["generate", str(OUTPUT / "no such.wav"), "-o", str(OUTPUT / "x.npz")])
seen["libraries_loaded"] = [name for name in HEAVY if name in sys.modules]
seen["written_into_the_addon"] = sorted(set(digest(folder).items()) ^ set(installed.items()))

bpy.ops.preferences.addon_disable(module=MODULE)
after = state()
seen["left_behind"] = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
bpy.ops.preferences.addon_enable(module=MODULE)
seen["enabled_again"] = MODULE in bpy.context.preferences.addons and hasattr(bpy.types.Scene, "emote")
bpy.ops.preferences.addon_disable(module=MODULE)

repository = next(i for i, repo in enumerate(bpy.context.preferences.extensions.repos) if repo.module == "user_default")
bpy.ops.extensions.package_uninstall(repo_index=repository, pkg_id="emote_blender")
seen["folder_is_gone"] = not folder.exists()
seen["libraries_after_uninstalling"] = places(BUNDLED)
print(json.dumps(seen))
