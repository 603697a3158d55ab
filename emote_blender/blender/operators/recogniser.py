"""Speech recognisers from the catalogue: download one, use one that was downloaded, remove it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ...errors import Cancelled, EmoteError, InputError
from ...transcript.recognisers.catalogue import CatalogueModel, download_recogniser
from ...transcript.recognisers.choose import close_recogniser
from ...transcript.recognisers.onnx_families import CARD_FILE, find_onnx_model
from ..blend_paths import absolute
from ..jobs import worker
from ..jobs.job_operator import JobOperator
from ..jobs.ready import is_free
from ..narrow import present
from ..refusal import Result, refusing
from ..settings.recogniser_info import (
    addon_preferences,
    catalogue_model,
    choose_recogniser,
    recognisers_folder,
    refresh_recognisers,
    size_text,
)


def _name_property() -> Any:
    """The name of a recogniser of the catalogue."""
    return bpy.props.StringProperty(
        name="Recogniser", description="Name of the recogniser in the catalogue", options={"SKIP_SAVE"}
    )


def _directory_property() -> Any:
    """The place of the recogniser's folder, for scripts."""
    return bpy.props.StringProperty(
        name="Directory",
        description="Folder in which the recogniser's own folder is; empty for the add-on's",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )


def _folder_of(model: CatalogueModel, directory: str) -> Path:
    """The recogniser's own folder; raises InputError."""
    return (Path(absolute(directory)) if directory else recognisers_folder()) / model.name


@dataclass(frozen=True)
class DownloadRequest:
    """What to download.

    Attributes:
        model: the recogniser.
        folder: its own folder.
    """

    model: CatalogueModel
    folder: Path


class EMOTE_OT_download_recogniser(JobOperator, bpy.types.Operator):
    """Download this speech recogniser and use it. A download that was cancelled goes on where it ended"""

    bl_idname = "emote.download_recogniser"
    bl_label = "Download Speech Recogniser"

    name: _name_property()
    directory: _directory_property()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = worker.busy_sentence()
        if not reason and not bpy.app.online_access:
            reason = (
                "Blender was started with --offline-mode"
                if bpy.app.online_access_override
                else "Allow Online Access first: Preferences, System, Network"
            )
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        return self.run_in_window(context)

    def execute(self, context: bpy.types.Context) -> Result:
        return self.run_now(context)

    def prepare(self, context: bpy.types.Context) -> DownloadRequest:
        model = catalogue_model(self.name)
        close_recogniser()  # its files may be the ones that are written
        return DownloadRequest(model, _folder_of(model, self.directory))

    def title_of(self, request: DownloadRequest) -> str:
        return f"The download of {request.model.title}"

    def work_of(self, request: DownloadRequest) -> worker.Work:
        return lambda progress, cancelled: download_recogniser(request.model, request.folder, progress, cancelled)

    def finish(self, context: bpy.types.Context, request: DownloadRequest, result: None) -> None:
        choose_recogniser(str(request.folder))
        self.report({"INFO"}, f"{request.model.title} ({size_text(request.model.num_bytes)}) is in {request.folder}")

    def refuse(self, context: bpy.types.Context, error: EmoteError) -> Result:
        refresh_recognisers()
        if isinstance(error, Cancelled):
            error = Cancelled("Cancelled; Continue Download goes on where it ended")
        return super().refuse(context, error)


class EMOTE_OT_use_recogniser(bpy.types.Operator):
    """Use this speech recogniser, which was downloaded"""

    bl_idname = "emote.use_recogniser"
    bl_label = "Use Speech Recogniser"

    name: _name_property()
    directory: _directory_property()

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        folder = _folder_of(catalogue_model(self.name), self.directory)
        find_onnx_model(folder)
        choose_recogniser(str(folder))
        return {"FINISHED"}


class EMOTE_OT_remove_recogniser(bpy.types.Operator):
    """Delete the downloaded files of this speech recogniser from the disk, to download them again when needed"""

    bl_idname = "emote.remove_recogniser"
    bl_label = "Remove Speech Recogniser"

    name: _name_property()
    directory: _directory_property()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_free(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        return present(context.window_manager).invoke_confirm(self, event)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        model = catalogue_model(self.name)
        folder = _folder_of(model, self.directory)
        close_recogniser()
        _remove_files(model, folder)
        preferences = addon_preferences()
        if preferences is not None and preferences.recogniser_folder and Path(preferences.recogniser_folder) == folder:
            choose_recogniser("")
        refresh_recognisers()
        self.report({"INFO"}, f"{model.title} was removed")
        return {"FINISHED"}


def _remove_files(model: CatalogueModel, folder: Path) -> None:
    """Delete what a download has written, and the folders if nothing else is in them; raises InputError."""
    from ...files.download import PART

    if not folder.is_dir():
        raise InputError(f"{folder} not found; nothing is there to remove")
    try:
        for file in model.files:
            (folder / file.place).unlink(missing_ok=True)
            (folder / (file.place + PART)).unlink(missing_ok=True)
        (folder / CARD_FILE).unlink(missing_ok=True)
        for below in sorted({(folder / file.place).parent for file in model.files} | {folder}, reverse=True):
            if below.is_dir() and not any(below.iterdir()):
                below.rmdir()
    except OSError as error:
        raise InputError(
            f"{error.filename or folder} cannot be deleted ({error.strerror or error}); close programs that use it, or "
            "delete the folder by hand"
        ) from error
