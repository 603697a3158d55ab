"""Jobs whose result is shown in the panel."""

from __future__ import annotations

from typing import ClassVar

import bpy

from ...errors import EmoteError
from ..jobs.job_operator import JobOperator
from ..narrow import window_scene
from ..refusal import Result
from ..settings.properties import note_result


class PanelJob(JobOperator):
    """Base of such operators, beside `bpy.types.Operator`. `prepare` calls `begin` first."""

    kept: ClassVar[tuple[str, ...]] = ("_request", "_asked_in", "_head_uid")

    def begin(self, context: bpy.types.Context) -> None:
        """Note the scene whose panel shows the result. `prepare` sets `_head_uid` if the result is about one head."""
        self._asked_in, self._head_uid = window_scene(context).session_uid, 0

    def refuse(self, context: bpy.types.Context, error: EmoteError) -> Result:
        self.show_result(str(error))
        return super().refuse(context, error)

    def show_result(self, result: str) -> None:
        """Show a line in the panel of the scene that the job was started in; the window may show another by now."""
        for scene in bpy.data.scenes:
            if scene.session_uid == self._asked_in:
                note_result(scene, result, self._head_uid)
