"""Run in a fresh Blender: install the zips in argv[1:]; prints what is enabled, its files and cautions as JSON."""

import contextlib
import json
import sys
from pathlib import Path

import bpy

for path in sys.argv[1:]:
    with contextlib.suppress(RuntimeError):  # Blender 4.5 to 5.2 print why they refuse and report success
        bpy.ops.extensions.package_install_files(repo="user_default", filepath=path, enable_on_install=True)
enabled = sorted(name for name in bpy.context.preferences.addons.keys() if name.startswith("bl_ext.user_default."))
bundle = sys.modules.get("bl_ext.user_default.emote_blender.blender.bundle")
folder = Path(bpy.utils.user_resource("EXTENSIONS")) / "user_default"
print(
    json.dumps(
        {
            "enabled": enabled,
            "files": sorted(str(path) for path in folder.rglob("*.py")),
            "cautions": list(bundle.state().cautions) if bundle else [],
        }
    )
)
