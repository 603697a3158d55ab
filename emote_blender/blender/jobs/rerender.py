"""A take with another emotion: its sound is known, so only the motion is made anew.

`prepare` and `apply` touch the scene and belong to the main thread; `compute` touches no bpy.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from ...emotion import EmotionTrack
from ...errors import EmoteError, InputError, ModelError
from ...motion import FaceMotion
from ...retarget.flame_transfer import Transfer, convert
from ..blend_paths import find_model_folder, stem
from ..head.rig import rig_of
from ..requirements import missing_sentence
from ..scene.strips import StripSound, named_strips
from ..settings.head_settings import head_settings
from ..settings.properties import scene_settings
from ..settings.take_settings import EMOTE_PG_take
from ..takes.manage import rename_take
from ..takes.names import emotion_label, take_name
from ..takes.rewrite import own_action, rewrite
from ..takes.store import keep_raw, kept_raw, raw_size
from ..takes.transfer import transfer_of_model
from . import generation
from .features import EncodedSound, encoded, known, open_cache

PREVIEW_PROPERTY = "emote_preview"  # on an action whose curves show a preview; saved and undone with it
_SAME_SECONDS = 0.02


@dataclass(frozen=True)
class Request:
    """The input of `compute`.

    Attributes:
        head_uid: session identifier of the head's mesh object.
        take_name: name of the take, unique among the head's.
        key: key of the sound's features; empty if the take was made without one.
        line: the request for the line as it is now, for when its features are no longer kept; None if it is gone.
        no_line: why there is none.
        num_frames: frames of the take's motion.
        track: the emotion.
        speaker: the take's.
        model: the model's folder.
        transfer: to the basis of the head; None if the model's is the head's.
    """

    head_uid: int
    take_name: str
    key: str
    line: generation.Request | None
    no_line: str
    num_frames: int
    track: EmotionTrack
    speaker: str | None
    model: Path
    transfer: Transfer | None = None


def prepare(head: bpy.types.Object, take: EMOTE_PG_take, track: EmotionTrack) -> Request:
    """The request for a take with another emotion.

    Raises:
        InputError: if the take is damaged.
        ModelError: if the model is not the take's, is not there, or cannot run here.
    """
    from ...speech_model.config import load_config

    if missing := missing_sentence():
        raise ModelError(missing)
    if take.action is None:
        raise InputError(f"the action of take {take.name!r} was deleted; remove the take and generate it again")
    if take.scene is None:
        raise InputError(f"the scene of take {take.name!r} was deleted; generate it again in another one")
    motion = kept_raw(take.action).emotional
    made_with = motion.meta.get("model")
    folder = find_model_folder(head_settings(head).model)
    config = load_config(folder)
    if made_with != config.name:
        raise ModelError(
            f"take {take.name!r} was made with the model {made_with or 'of another program'}, and the head is set to "
            f"{config.name}; choose that model, or generate another take"
        )
    speaker = motion.meta.get("speaker")
    open_cache()
    line, no_line = _line_of(head, take)
    return Request(
        head_uid=head.session_uid,
        take_name=take.name,
        key=str(motion.meta.get(generation.FEATURES_KEY, "")),
        line=line,
        no_line=no_line,
        num_frames=motion.num_frames,
        track=track,
        speaker=speaker if speaker in config.speakers else None,
        model=folder,
        transfer=transfer_of_model(rig_of(head), config),
    )


def compute(
    request: Request,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> FaceMotion:
    """The take's motion with the request's emotion. Touches no bpy.

    Raises:
        InputError: if the sound is gone, or is no longer the one that the take speaks.
        ModelError: if the model is damaged.
        Cancelled: if `cancelled` returns True.
    """
    sound = known(request.key, request.model) if request.key else None
    if sound is None:
        sound = _encoded_again(request, progress, cancelled)
    pipeline = generation.pipeline_of(request.model)
    motion = pipeline.generate(
        sound.features, request.track, request.speaker, progress, cancelled, rendered=sound.rendered
    )
    if motion.num_frames != request.num_frames:
        raise InputError(
            f"the sound of take {request.take_name!r} has another length now ({motion.num_frames} frames, not "
            f"{request.num_frames}); generate it again"
        )
    motion = replace(motion, meta={**motion.meta, generation.FEATURES_KEY: sound.key})
    return motion if request.transfer is None else convert(request.transfer, motion)


def _line_of(head: bpy.types.Object, take: EMOTE_PG_take) -> tuple[generation.Request | None, str]:
    """The request for a take's line as the scene has it now, or None and why it is not what the take speaks."""
    scene, own = take.scene, head_settings(head)
    audio = next((path for path in (own.audio, scene_settings(scene).audio) if stem(path) == take.line), "")
    is_strip = bool(named_strips(scene, take.line))
    choices = generation.Choices(
        head,
        take.line if is_strip or not audio else "",
        audio,
        0,
        None,
        1.0,
        speaker="",
        model=own.model,
        is_own_file=audio == own.audio,
    )
    try:
        line = generation.prepare(scene, choices)
    except EmoteError as error:
        return None, str(error)
    sound = line.sound
    if isinstance(sound, StripSound) and (
        abs(sound.source_start_seconds - take.source_start_seconds) > _SAME_SECONDS
        or abs(sound.duration_seconds - take.duration_seconds) > _SAME_SECONDS
    ):
        return None, f"its strip {take.line!r} was trimmed since"
    return line, ""


def _encoded_again(
    request: Request, progress: Callable[[float, str], None] | None, cancelled: Callable[[], bool] | None
) -> EncodedSound:
    """The sound from the scene, as its features are no longer kept."""
    line = request.line
    if line is None:
        raise InputError(
            f"take {request.take_name!r} cannot get another emotion: {request.no_line}; generate a new take"
        )
    pipeline = functools.partial(generation.pipeline_of, request.model)
    # A take keeps the words that it was made with: none are recognised now.
    words = line.words
    return encoded(line.sound, request.model, pipeline, words.transcript, words.language, progress, cancelled)


def apply(head: bpy.types.Object, take: EMOTE_PG_take, motion: FaceMotion) -> None:
    """Exchange the emotional motion of a take and write its curves; settings, place and hand edits stay.

    Raises:
        InputError: if head or action are gone, linked or damaged.
        ModelError: if the motion's components are not the head's.
    """
    action = own_action(rig_of(head), take)
    raw = kept_raw(action)
    meta = {**raw.emotional.meta, **motion.meta}
    if "emotion_track" not in motion.meta:
        meta.pop("emotion_track", None)  # of the emotion before
    keep_raw(action, replace(raw, emotional=replace(motion, meta=meta)))
    action.pop(PREVIEW_PROPERTY, None)
    had_given_name = take.name.startswith(f"{take.line} · {take.emotion}")
    take.emotion, take.num_bytes = emotion_label(meta), raw_size(action)
    if had_given_name:
        rename_take(head, take, take_name(take.line, meta))
    rewrite(head, take)
