"""A dialogue: a table of lines, each with its strip, head and emotion, and all of them spoken at once."""

from __future__ import annotations

from dataclasses import replace

import bpy

from ...errors import EmoteError, InputError
from ..jobs import generation
from ..jobs.ready import is_free, may_animate
from ..narrow import window_scene
from ..refusal import Result, refusing
from ..requirements import missing_sentence
from ..scene import emotion_keys
from ..scene.emotion_track import unread_animation
from ..scene.find_head import heads_near
from ..scene.placed_strip import placed_strips
from ..scene.speakers import emotion_in, names_around, speaker_among
from ..scene.strips import selected_strips, strip_scene
from ..settings.chosen_head import own_settings
from ..settings.dialogue_settings import HEADS_OWN, EMOTE_PG_dialogue, EMOTE_PG_line
from ..settings.properties import scene_settings
from .speech_job import SpeechJob

_MOST_NAMED = 3


class EMOTE_OT_fill_dialogue(bpy.types.Operator):
    """List the selected sound strips, or all of them, each with the head and emotion that its names suggest"""

    bl_idname = "emote.fill_dialogue"
    bl_label = "Fill from Strips"
    bl_options = {"REGISTER", "UNDO"}

    strips: bpy.props.EnumProperty(
        name="Strips",
        description="Which strips are listed",
        items=[
            ("AUTO", "Selected or All", "The selected sound strips, or all if none is selected"),
            ("ALL", "All", "All sound strips"),
        ],
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_free(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        dialogue = _dialogue(context)
        scene = strip_scene(context)
        strips = placed_strips(scene)
        if not strips:
            raise InputError(f"scene {scene.name!r} has no sound strip; add one in the Video Sequencer")
        selected = selected_strips(scene) if self.strips == "AUTO" else []
        heads = heads_near(context)
        place = {strip.name: number for number, strip in enumerate(strips)}
        for strip in selected or strips:
            line = _line_of(dialogue, strip.name)
            names = names_around(strip)
            if line is None:
                line = dialogue.lines.add()
                line.strip = strip.name
                line.emotion = emotion_in(names).upper() or HEADS_OWN
            if line.head is None:
                line.head = speaker_among(names, heads)
        _sort(dialogue, place)
        dialogue.active_line = min(max(dialogue.active_line, 0), len(dialogue.lines) - 1)
        lacking = [line.strip for line in dialogue.lines if line.head is None]
        if lacking:
            named = ", ".join(repr(name) for name in lacking[:_MOST_NAMED]) + (", ..." * (len(lacking) > _MOST_NAMED))
            self.report({"WARNING"}, f"the names of {named} do not say which head speaks; choose one in the list")
        self.report({"INFO"}, f"{len(dialogue.lines)} lines, {len(dialogue.lines) - len(lacking)} with a head")
        return {"FINISHED"}


class EMOTE_OT_remove_line(bpy.types.Operator):
    """Remove the chosen line from the dialogue, or all lines; strips and takes stay"""

    bl_idname = "emote.remove_line"
    bl_label = "Remove Line"
    bl_options = {"REGISTER", "UNDO"}

    every: bpy.props.BoolProperty(name="All", description="Remove all lines", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_free(cls)

    @refusing
    def execute(self, context: bpy.types.Context) -> Result:
        dialogue = _dialogue(context)
        if self.every:
            dialogue.lines.clear()
        elif 0 <= dialogue.active_line < len(dialogue.lines):
            dialogue.lines.remove(dialogue.active_line)
        else:
            raise InputError("no line of the dialogue is chosen; choose one in the list")
        dialogue.active_line = min(dialogue.active_line, len(dialogue.lines) - 1)
        return {"FINISHED"}


class EMOTE_OT_generate_dialogue(SpeechJob, bpy.types.Operator):
    """Let every head of the dialogue speak its lines, each as a take beside its other animation"""

    bl_idname = "emote.generate_dialogue"
    bl_label = "Generate Dialogue"
    # Not REGISTER: redo would run the model again.
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        missing = missing_sentence()
        if missing:
            cls.poll_message_set(missing)
            return False
        if not may_animate(cls):
            return False
        if not any(line.enabled for line in _dialogue(context).lines):
            cls.poll_message_set("The dialogue has no lines: press Fill from Strips")
            return False
        return True

    def prepare(self, context: bpy.types.Context) -> list[generation.Request]:
        """A request for each enabled line; those that cannot be spoken are left out, and reported at the end."""
        self.begin(context)
        requests: list[generation.Request] = []
        cautioned: set[int] = set()
        for line in _dialogue(context).lines:
            if not line.enabled:
                continue
            try:
                request = _request(context, line)
            except EmoteError as error:
                self._left_out.append(InputError(f"line {line.strip!r}: {error}"))
                continue
            if request.head_uid not in cautioned and (caution := unread_animation(line.head)):
                request = replace(request, warnings=(caution, *request.warnings))
            cautioned.add(request.head_uid)
            requests.append(request)
        if not requests:
            raise self._left_out[0] if self._left_out else InputError("no line of the dialogue is switched on")
        return requests


def _request(context: bpy.types.Context, line: EMOTE_PG_line) -> generation.Request:
    head = line.head
    if head is None:
        raise InputError("no head is chosen; choose one in the list of the dialogue")
    if head.name not in bpy.data.objects or not head.users_scene:
        raise InputError(f"its head {head.name!r} was deleted; choose another one")
    own = own_settings(context, head)
    if head.library is None:
        emotion_keys.bring_up_to_date(head)
    is_own = line.emotion == HEADS_OWN
    choices = generation.Choices(
        head=head,
        strip=line.strip,
        audio="",
        frame_start=1,
        emotion=None if is_own else line.emotion,
        intensity=None if is_own else line.intensity,
        speaker=own.speaker,
        model=own.model,
    )
    return generation.prepare(strip_scene(context, line.strip, head), choices)


def _dialogue(context: bpy.types.Context) -> EMOTE_PG_dialogue:
    return scene_settings(window_scene(context)).dialogue


def _line_of(dialogue: EMOTE_PG_dialogue, strip: str) -> EMOTE_PG_line | None:
    return next((line for line in dialogue.lines if line.strip == strip), None)


def _sort(dialogue: EMOTE_PG_dialogue, place: dict[str, int]) -> None:
    """Put the lines into the order of their strips; those without a strip come last."""
    wanted = sorted(range(len(dialogue.lines)), key=lambda i: place.get(dialogue.lines[i].strip, len(place)))
    order = list(range(len(wanted)))
    for target, source in enumerate(wanted):
        found = order.index(source)
        dialogue.lines.move(found, target)
        order.insert(target, order.pop(found))


CLASSES = (EMOTE_OT_fill_dialogue, EMOTE_OT_remove_line, EMOTE_OT_generate_dialogue)
