"""Install Face Landmarker: the extension with the networks that find faces in videos, from its zip."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...errors import InputError
from ..blend_paths import absolute
from ..narrow import present
from ..refusal import Result, refusing
from ..settings.landmarker_info import EXTENSION, check_landmarker_zip, use_extension


class EMOTE_OT_install_landmarker(bpy.types.Operator):
    """Install the extension EMOTE Face Landmarker, which finds faces in videos, from its zip"""

    bl_idname = "emote.install_landmarker"
    bl_label = "Install Face Landmarker"

    filepath: bpy.props.StringProperty(
        name="File",
        description=f"The extension's zip, {EXTENSION}-….zip",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    filter_glob: bpy.props.StringProperty(default=f"{EXTENSION}*.zip", options={"SKIP_SAVE", "HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        present(context.window_manager).fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        path = Path(absolute(self.filepath))
        check_landmarker_zip(path)
        # Blender reports success also where it prints why it refuses (4.5 to 5.2).
        bpy.ops.extensions.package_install_files(repo=_repository(), filepath=str(path), enable_on_install=True)
        use_extension()
        self.report({"INFO"}, "The face landmarker is installed: faces in videos can be captured")
        return {"FINISHED"}


def _repository() -> str:
    """The repository for extensions from files: the user's own one, else the first that is on this computer."""
    repositories = [
        repository.module
        for repository in present(bpy.context.preferences).extensions.repos
        if repository.enabled and not repository.use_remote_url and repository.source == "USER"
    ]
    if not repositories:
        raise InputError(
            "Blender has no repository for extensions from files; add a local one in Preferences > Get Extensions > "
            "Repositories"
        )
    return "user_default" if "user_default" in repositories else repositories[0]
