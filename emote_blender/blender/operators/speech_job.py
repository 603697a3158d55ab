"""What the operators that let heads speak have in common: the work, its result, and what is reported."""

from __future__ import annotations

import bpy

from ...errors import EmoteError
from ..check.find import worst_after
from ..jobs import generation, worker
from ..refusal import Result
from .panel_job import PanelJob


class SpeechJob(PanelJob):
    """Base of such operators, beside `bpy.types.Operator`. `prepare` gives the requests, and calls `begin` first."""

    kept = (*PanelJob.kept, "_left_out")

    def begin(self, context: bpy.types.Context) -> None:
        """Note the scene whose panel shows the result."""
        super().begin(context)
        self._left_out: list[EmoteError] = []

    def execute(self, context: bpy.types.Context) -> Result:
        return self.run_now(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        # In background Blender runs no modal operator.
        return self.run_now(context) if bpy.app.background else self.run_in_window(context)

    def title_of(self, requests: list[generation.Request]) -> str:
        return f"The take {requests[0].take_name!r}" if len(requests) == 1 else f"The speech of {len(requests)} strips"

    def work_of(self, requests: list[generation.Request]) -> worker.Work:
        return lambda progress, cancelled: generation.compute_all(requests, progress, cancelled)

    def finish(
        self,
        context: bpy.types.Context,
        requests: list[generation.Request],
        speeches: list[generation.Speech | EmoteError],
    ) -> None:
        errors: list[EmoteError] = []
        results = []
        troubles: list[str] = []
        for request, speech in zip(requests, speeches, strict=True):
            playing = generation.lines_in_use(request)
            if isinstance(speech, EmoteError):
                errors.append(speech)
                continue
            try:
                take, frame_start = generation.finish(request, speech)
            except EmoteError as error:
                errors.append(error)
                continue
            if aside := sorted(playing - generation.lines_in_use(request)):
                names = ", ".join(repr(name) for name in aside)
                self.report({"WARNING"}, f"{take.name!r} plays instead of {names}: a head speaks one line at a time")
            generation.keep_words(request, speech)
            motion = speech.raw.emotional
            results.append(generation.describe_action(take.action, frame_start))
            for warning in (*request.warnings, *generation.misfits(request, motion)):
                self.report({"WARNING"}, warning)
            troubles.extend((*speech.sound_warnings, *speech.warnings))
            self.report({"INFO"}, results[-1])
        if errors and not results:
            raise errors[0]
        for failure in (*self._left_out, *errors):
            self.report({"WARNING"}, str(failure))
        total = len(requests) + len(self._left_out)
        result = results[0] if total == 1 else f"{len(results)} of {total} strips were spoken"
        reported = {warning for request in requests for warning in request.warnings}
        for uid in dict.fromkeys(request.head_uid for request in requests):
            troubles.extend(found for found in worst_after(context, uid) if found not in reported)
        for warning in troubles:
            self.report({"WARNING"}, warning)
        if len(requests) > 1 and len(troubles) > 1:
            troubles = [f"{troubles[0]} (and {len(troubles) - 1} more warnings in the Info editor)"]
        self.show_result("; but ".join((result, *troubles)))
