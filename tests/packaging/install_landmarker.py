"""Run in a fresh Blender: the add-on without and with the face landmarker's extension; prints what was seen as JSON.

argv[1] is the add-on's zip, argv[2] the extension's, argv[3] a video of a face, argv[4] a folder to write to.
"""

import json
import sys
from pathlib import Path
from typing import Any

import bpy

ADDON, EXTENSION, VIDEO, OUTPUT = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
MODULE = "bl_ext.user_default.emote_blender"
DATA_MODULE = "bl_ext.user_default.emote_face_landmarker"


def sentence(call: Any, **arguments: Any) -> str:
    """What an operator says when it refuses; empty if it does not."""
    try:
        call(**arguments)
    except RuntimeError as error:
        return str(error)
    return ""


def state() -> dict:
    """What the add-on says of the landmarker, and whether it would capture and does on the command line."""
    motion = OUTPUT / "motion.npz"
    motion.unlink(missing_ok=True)
    code = register.run_command(["capture", VIDEO, "-o", str(motion)])
    return {
        "problem": info.landmarker_problem(),
        "poll": bpy.ops.emote.capture.poll(),
        "command": code,
        "wrote": motion.is_file(),
    }


bpy.ops.extensions.package_install_files(repo="user_default", filepath=ADDON, enable_on_install=True)
info = sys.modules[f"{MODULE}.blender.settings.landmarker_info"]
register = sys.modules[f"{MODULE}.blender.register"]
bpy.ops.emote.add_head(head="open_head")
seen: dict[str, Any] = {"without": state()}
install = bpy.ops.emote.install_landmarker
seen["wrong_zip"] = sentence(install, filepath=ADDON)
seen["no_zip"] = sentence(install, filepath=VIDEO)

# A chosen folder gives way to the extension that is installed by the button.
preferences = bpy.context.preferences.addons[MODULE].preferences
preferences.landmarker_folder = str(OUTPUT)
seen["install"] = sentence(install, filepath=EXTENSION)
seen["chosen"] = preferences.landmarker_folder
seen["with"] = state()
seen["folder"] = str(info.landmarker_folder())
seen["loaded"] = [name for name in sys.modules if "emote_face_landmarker" in name]
seen["capture"] = list(bpy.ops.emote.capture(filepath=VIDEO))
seen["takes"] = len(bpy.context.object.emote.takes)

# Its files are data whatever they hold; Blender removes and installs it again.
graphs = info.landmarker_folder() / "landmarker.json"
graphs.write_text(graphs.read_text().replace('"Conv"', '"PyOp"'))
seen["hostile"] = sentence(bpy.ops.emote.capture, filepath=VIDEO)
seen["after_hostile"] = state()
bpy.ops.extensions.package_install_files(repo="user_default", filepath=EXTENSION, enable_on_install=True)
seen["again"] = state()
bpy.ops.preferences.addon_disable(module=DATA_MODULE)
seen["disabled"] = state()
bpy.ops.preferences.addon_enable(module=DATA_MODULE)
seen["enabled"] = state()
repository = next(i for i, repo in enumerate(bpy.context.preferences.extensions.repos) if repo.module == "user_default")
bpy.ops.extensions.package_uninstall(repo_index=repository, pkg_id="emote_face_landmarker")
seen["removed"] = state()
print(json.dumps(seen))
