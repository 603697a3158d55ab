"""Run in a fresh Blender: unpack argv[1] into scripts/addons, where Blender checks nothing, and enable it."""

import json
import sys
import zipfile
from pathlib import Path

import bpy

MODULE = "emote_blender"
folder = Path(bpy.utils.user_resource("SCRIPTS")) / "addons" / MODULE
zipfile.ZipFile(sys.argv[1]).extractall(folder)
sys.path.append(str(folder.parent))  # Blender does so at start where that folder is there
bpy.ops.preferences.addon_enable(module=MODULE)
requirements = sys.modules[f"{MODULE}.blender.requirements"]
seen = {
    "why_not": requirements.missing_sentence(),
    "generate_can_run": bpy.ops.emote.generate.poll(),
    "head_added": list(bpy.ops.emote.add_head(head="open_head")),
    "heavy": [name for name in ("onnxruntime", "torch") if name in sys.modules],
}
print(json.dumps(seen))
