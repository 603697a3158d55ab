"""Run in a fresh Blender: install the zip in argv[1], then import the module argv[2] that its wheel brought."""

import importlib
import json
import sys

import bpy

bpy.ops.extensions.package_install_files(repo="user_default", filepath=sys.argv[1], enable_on_install=True)
module = importlib.import_module(sys.argv[2])
print(json.dumps({"file": module.__file__, "answer": module.ANSWER}))
