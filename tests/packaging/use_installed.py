"""Run in a Blender where the add-on was installed before: speak the sound in argv[1]; prints what was seen as JSON."""

import json
import sys
from pathlib import Path

import bpy

MODULE = "bl_ext.user_default.emote_blender"
bpy.ops.preferences.addon_enable(module=MODULE)
folder = Path(sys.modules[MODULE].__file__).parent
try:
    (folder / "probe").write_text("")
    writable = True
except OSError:
    writable = False
bpy.ops.emote.add_head(head="open_head")
result = bpy.ops.emote.generate(
    audio=sys.argv[1], frame_start=1, emotion="HAPPY", transcript="Look what you have done!"
)
print(json.dumps({"writable": writable, "generate": list(result)}))
