"""Convert Official Files: the user's own EMOTE checkpoint or FLAME model to a folder that the add-on can use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import bpy

from ...errors import InputError
from ...official.flame_versions import LICENCES
from ...steps import reported_step
from ..blend_paths import absolute
from ..jobs import worker
from ..jobs.job_operator import JobOperator
from ..jobs.ready import is_free
from ..narrow import present
from ..refusal import Result
from ..requirements import missing_sentence
from ..settings import model_info
from ..settings.models_folder import writable_models_folder

KINDS = (
    ("EMOTE", "EMOTE Speech Model", "The checkpoint (last.ckpt) of EMOTE or EMOTE_v2, with its cfg.yaml beside it"),
    ("FLAME", "FLAME Head", "generic_model.pkl, flame2023.pkl or another FLAME model"),
)
VERSIONS = (
    ("AUTO", "By the File's Name", "Recognise the version of FLAME by the name of the file and its folder"),
    *((version.upper(), version, licence) for version, licence in LICENCES.items()),
)


@dataclass(frozen=True)
class ConvertRequest:
    """What to convert.

    Attributes:
        kind: EMOTE or FLAME.
        source: the file.
        folder: the folder to make.
        basis: the version of FLAME in the file; None to recognise it by the file's name.
    """

    kind: str
    source: Path
    folder: Path
    basis: str | None


class EMOTE_OT_convert(JobOperator, bpy.types.Operator):
    """Convert official files, which you downloaded under their authors' licence, to a speech model or a head"""

    bl_idname = "emote.convert"
    bl_label = "Convert Official Files"

    _in_window = False  # True if a person chose the file, who wants to see progress

    kind: bpy.props.EnumProperty(name="Kind", description="What the file is", items=KINDS, options={"SKIP_SAVE"})
    filepath: bpy.props.StringProperty(
        name="File",
        description="The file as you downloaded it; nothing in it is run",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    filter_glob: bpy.props.StringProperty(default="*.ckpt;*.pkl;*.npz", options={"HIDDEN"})
    name: bpy.props.StringProperty(
        name="Name", description="Name of the new model or head; empty for the file's", options={"SKIP_SAVE"}
    )
    version: bpy.props.EnumProperty(
        name="FLAME Version", description="Which FLAME the file holds", items=VERSIONS, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_free(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        if self.has_orphan():
            return self.run_in_window(context)
        self._in_window = not bpy.app.background
        present(context.window_manager).fileselect_add(self)  # calls `execute` when a file is chosen
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Result:
        return self.run_in_window(context) if self._in_window else self.run_now(context)

    def prepare(self, context: bpy.types.Context) -> ConvertRequest:
        source = Path(absolute(self.filepath))
        if not source.is_file():
            raise InputError(f"{source} is no file; choose the checkpoint or the FLAME model that you downloaded")
        if self.kind == "EMOTE" and (missing := missing_sentence()):
            raise InputError(missing)
        basis = None if self.version == "AUTO" else self.version.lower()
        return ConvertRequest(self.kind, source, writable_models_folder() / folder_name(source, self.name), basis)

    def title_of(self, request: ConvertRequest) -> str:
        return f"The {'model' if request.kind == 'EMOTE' else 'head'} {request.folder.name!r}"

    def work_of(self, request: ConvertRequest) -> worker.Work:
        return lambda progress, cancelled: convert(request, progress, cancelled)

    def finish(self, context: bpy.types.Context, request: ConvertRequest, result: list[str]) -> None:
        model_info.refresh()
        for line in result:
            self.report({"INFO"}, line)


def convert(request: ConvertRequest, progress: worker.Progress, cancelled: worker.IsCancelled) -> list[str]:
    """Convert the files and return what was done, line by line. Touches no bpy.

    Raises:
        EmoteError: if the file cannot be used, the folder cannot be written, or `cancelled` returns True. No part of
            the folder is left behind.
    """
    from ...official.folders import emote_folder, head_folder

    step = reported_step(progress, cancelled)
    if request.kind == "EMOTE":
        return emote_folder(request.source, request.folder, step=step)
    return head_folder(request.source, request.folder, basis=request.basis, step=step)


def folder_name(source: Path, name: str = "") -> str:
    """A folder's name: the given one, or the official folder's (EMOTE_v2/checkpoints/last.ckpt), or the file's.

    Raises:
        InputError: if the given name cannot be the name of a folder.
    """
    if name and not re.fullmatch(r"\w[\w .-]*", name):
        raise InputError(f"{name!r} is no name for a folder; use letters, digits, spaces, dots and dashes")
    return name or (source.parent.parent.name if source.parent.name == "checkpoints" else source.stem)
