"""From the user's choices to a take: read the scene, run the model, write the action.

`prepare` and `finish` touch the scene and belong to the main thread; `compute` touches no bpy and may run on another.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ...emotion import EmotionTrack
from ...errors import Cancelled, EmoteError, InputError, ModelError
from ...motion import FaceMotion
from ...motion_tools.raw_take import RawTake
from ...motion_tools.rest import is_at_rest, rest_warning
from ...retarget.conversion import check_can_show, converted
from ...retarget.flame_transfer import Transfer
from ...transcript.recognisers.interface import Recognition
from ..blend_paths import absolute, find_model_folder
from ..head.rig import rig_of
from ..requirements import missing_sentence
from ..scene.emotion_track import chosen_track, head_track, span_in
from ..scene.placed_strip import audible_part
from ..scene.strips import FileSound, StripSound, find_strip, read_strip, sound_file
from ..scene.unheard import why_unheard
from ..settings import model_info
from ..settings.head_settings import head_settings
from ..settings.transcript_state import NONE
from ..takes.make import Line, new_take, rig_warnings
from ..takes.names import take_name
from ..takes.store import kept_raw
from ..takes.transfer import transfer_of_model
from .features import encoded, open_cache, stamps
from .planned_words import NO_WORDS, PlannedWords, plan_words, recognise_planned, without_words
from .recognition import Place, fill_in, no_speech_sentence, place_of_file, place_of_strip

if TYPE_CHECKING:
    from ...pipeline import EMOTEPipeline
    from ..settings.take_settings import EMOTE_PG_take

# In a motion's metadata: the key of its sound's features, by which it can be given another emotion.
FEATURES_KEY = "features"
_NEUTRAL = EmotionTrack.constant("neutral", 1.0)


@dataclass(frozen=True)
class Choices:
    """What the user asked for.

    Attributes:
        head: mesh object of the head.
        strip: name of a sound strip. If empty, `audio` is used; without `audio`, the active or only strip.
        audio: sound file; empty to use a strip.
        frame_start: scene frame at which `audio` begins; a strip has its own.
        emotion: one of EMOTIONS for the whole line; None for what is set on the head.
        intensity: 0 to 2; None for what is set on the head.
        speaker: one of the model's; empty for its first.
        model: name or folder of a speech model.
        transcript: the spoken words, a file with them, "auto" to recognise them, or "none"; None for the sound's own.
        language: that is spoken; None for the sound's own.
        is_own_file: whether `audio` is the head's own sound file, whose words the head keeps.
    """

    head: bpy.types.Object
    strip: str
    audio: str
    frame_start: int
    emotion: str | None
    intensity: float | None
    speaker: str
    model: str
    transcript: str | None = None
    language: str | None = None
    is_own_file: bool = False


@dataclass(frozen=True)
class Request:
    """The input of `compute`, and identifiers by which `finish` finds the head and the scene again.

    It holds no Blender data, which may be deleted while `compute` runs.

    Attributes:
        head_uid: session identifier of the head's mesh object.
        head_name: the head's name, for messages.
        scene_uid: session identifier of the scene whose timeline and frame rate count.
        sound: the speech, and the scene frame at which it begins.
        track: emotion over time.
        speaker: one of the model's; None for its first.
        model: the model's folder.
        take_name: name of the take, but for a number if there is one already.
        words: what is followed beside the sound.
        place: where the words are kept; None if the sound has no such place, or a script gave the words.
        warnings: what the user should know although nothing is wrong, one sentence each; `compute` adds those about
            the words.
        transfer: from the model's basis to the head's; None if the motion needs no conversion.
    """

    head_uid: int
    head_name: str
    scene_uid: int
    sound: StripSound | FileSound
    track: EmotionTrack
    speaker: str | None
    model: Path
    take_name: str
    words: PlannedWords = PlannedWords()
    place: Place | None = None
    warnings: tuple[str, ...] = ()
    transfer: Transfer | None = None


@dataclass(frozen=True, eq=False)
class Speech:
    """The result of `compute`.

    Attributes:
        raw: the motion.
        recognition: the words that were recognised for it; None if none were asked for or found.
        warnings: what went otherwise than asked, one sentence each.
        sound_warnings: what is wrong with the sound, one sentence each.
    """

    raw: RawTake
    recognition: Recognition | None = None
    warnings: tuple[str, ...] = ()
    sound_warnings: tuple[str, ...] = ()


def prepare(scene: bpy.types.Scene, choices: Choices) -> Request:
    """The request for these choices; finds every mistake that can be found before the model runs.

    Raises:
        InputError: if head, strip, file, transcript, emotion, intensity or speaker cannot be used.
        ModelError: if the model is not there, cannot run here, or is made for another face; or if a transcript cannot
            be read here.
    """
    from ...pipeline import describe_track
    from ...speech_model.config import load_config

    missing = missing_sentence()
    if missing:
        raise ModelError(missing)
    constant = choices.emotion is not None or choices.intensity is not None
    track = chosen_track(head_settings(choices.head), choices.emotion, choices.intensity) if constant else None
    model_info.refresh()  # the panel may remember a folder as it was
    folder = find_model_folder(choices.model)
    config = load_config(folder)
    if choices.speaker and choices.speaker not in config.speakers:
        raise InputError(
            f"unknown speaker {choices.speaker!r}; the model {config.name} knows {', '.join(config.speakers)}; "
            "choose one"
        )
    rig = rig_of(choices.head)
    source = f"the model {config.name}"
    check_can_show(source, config.face, config.num_expression, config.expression_names, rig)
    transfer = transfer_of_model(rig, config)
    sound: StripSound | FileSound
    place: Place | None = None
    unheard = ""
    if choices.strip or not choices.audio:
        strip = find_strip(scene, choices.strip)
        sound, place = read_strip(strip), place_of_strip(strip)
        unheard = why_unheard(strip)
    else:
        sound = FileSound(Path(absolute(choices.audio)), choices.frame_start)
        if choices.is_own_file:
            place = place_of_file(scene, choices.head)
    if track is None:
        duration = sound.duration_seconds if isinstance(sound, StripSound) else None
        track = head_track(choices.head, span_in(scene, sound.frame_start, duration, config.fps))
    open_cache()  # here, as finding its folder needs bpy
    given = choices.transcript
    if given is None and place is None and head_settings(choices.head).transcript_mode == NONE:
        given = NO_WORDS  # another file than the head's own is spoken likewise
    words = plan_words(sound, place, given, choices.language, config)
    # Words that a script gave, or asked for where none are wanted, are not those of the sound.
    is_filled_in = choices.transcript is None or (words.to_recognise and place is not None and place.before[1] != NONE)
    return Request(
        head_uid=choices.head.session_uid,
        head_name=choices.head.name,
        scene_uid=scene.session_uid,
        sound=sound,
        track=track,
        speaker=choices.speaker or None,
        model=folder,
        take_name=take_name(sound.name, describe_track(track)),
        words=words,
        place=place if is_filled_in else None,
        warnings=(*rig_warnings(source, config.face, rig), *filter(None, [unheard])),
        transfer=transfer,
    )


def compute(
    request: Request,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Speech:
    """The motion that the request asks for, and the same line without emotion; recognises the words first if asked to.

    Touches no bpy.

    Raises:
        InputError: if the sound cannot be used.
        ModelError: if the model is damaged.
        Cancelled: if `cancelled` returns True.
    """

    def stage(start: float, end: float) -> Callable[[float, str], None] | None:
        return progress and (lambda fraction, text: progress(start + fraction * (end - start), text))

    if progress:
        progress(0.0, "Reading the sound")

    def loaded() -> EMOTEPipeline:
        if progress:
            progress(0.05, "Loading the model")
        return pipeline_of(request.model)

    begin, words, recognition = 0.2, request.words, None
    if words.to_recognise:
        begin = 0.45
        recognition, words = recognise_planned(request.sound, words, stage(0.0, begin), cancelled)
    encode = functools.partial(
        encoded, request.sound, request.model, loaded, progress=stage(begin, 0.7), cancelled=cancelled
    )
    try:
        sound = encode(words.transcript, words.language)
    except Cancelled:
        raise
    except EmoteError as error:
        if words.transcript is None or not words.may_be_left_out:
            raise
        words = without_words(words, str(error))
        sound = encode(None, words.language)
    pipeline = pipeline_of(request.model)
    render = functools.partial(pipeline.generate, sound.features, speaker=request.speaker, cancelled=cancelled)
    motion = render(request.track, progress=stage(0.7, 0.85), rendered=sound.rendered)
    neutral = render(_NEUTRAL, progress=stage(0.85, 1.0), rendered=sound.rendered)
    of_sound = {"audio": request.sound.name, "sound_seconds": round(sound.seconds, 6), FEATURES_KEY: sound.key}
    meta = {**motion.meta, **of_sound}
    raw = RawTake(replace(motion, meta=meta), neutral, sound.features.prosody)
    if request.transfer is not None:
        raw = converted(request.transfer, raw)
    about_sound = sound.warnings or rest_warning(neutral, request.sound.name)
    about_words = words.warnings
    if about_sound and is_at_rest(neutral):  # from which it follows that no words were recognised
        no_speech = no_speech_sentence(request.sound.name)
        about_words = tuple(warning for warning in about_words if not warning.startswith(no_speech))
    return Speech(raw, recognition, about_words, about_sound)


def compute_all(
    requests: list[Request], progress: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> list[Speech | EmoteError]:
    """The results of several requests, one after the other, or why there are none.

    Raises:
        Cancelled: if `cancelled` returns True.
    """
    speeches: list[Speech | EmoteError] = []
    for number, request in enumerate(requests):

        def part(fraction: float, text: str, number: int = number, name: str = request.sound.name) -> None:
            shown = text if len(requests) == 1 else f"{name}: {text}"
            progress((number + fraction) / len(requests), shown)

        try:
            speeches.append(compute(request, part, cancelled))
        except Cancelled:
            raise
        except EmoteError as error:
            speeches.append(error)
    return speeches


def present_head_and_scene(
    head_uid: int, head_name: str, scene_uid: int, meanwhile: str
) -> tuple[bpy.types.Object, bpy.types.Scene]:
    """The head and the scene of a request; raises InputError if one was deleted while `meanwhile`."""
    head = next((item for item in bpy.data.objects if item.session_uid == head_uid), None)
    if head is None:
        raise InputError(f"head {head_name!r} was deleted while {meanwhile}; nothing was changed")
    scene = next((item for item in bpy.data.scenes if item.session_uid == scene_uid), None)
    if scene is None:
        raise InputError(f"the scene was deleted while {meanwhile}; nothing was changed")
    return head, scene


def finish(request: Request, speech: Speech) -> tuple[EMOTE_PG_take, int]:
    """The new take on the head, and the frame on which it begins.

    Raises:
        InputError: if the head, the scene or the strip was deleted or changed since `prepare`.
    """
    head, scene = present_head_and_scene(request.head_uid, request.head_name, request.scene_uid, "the speech was made")
    line = present_line(scene, request.sound)
    take = new_take(head, speech.raw, scene, line, life=None)
    # Blender shows a new action only once it evaluates a frame.
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return take, round(line.frame_start)


def present_line(scene: bpy.types.Scene, sound: StripSound | FileSound) -> Line:
    """The line of a sound where it is now; raises InputError if its strip has changed since `prepare`."""
    if isinstance(sound, StripSound):
        return Line(sound.name, _present_start(scene, sound), sound.source_start_seconds)
    return Line(sound.name, sound.frame_start)


def lines_in_use(request: Request) -> set[str]:
    """Names of the lines that the request's head plays."""
    head = next((item for item in bpy.data.objects if item.session_uid == request.head_uid), None)
    return {take.line for take in head_settings(head).takes if take.in_use} if head is not None else set()


def describe_action(action: bpy.types.Action, frame_start: int) -> str:
    """One line about the action of a new take for the panel."""
    motion = kept_raw(action).emotional
    line = f"{action.name}: {motion.duration_seconds:.1f} s from frame {frame_start}"
    transfer = motion.meta.get("transfer")
    if transfer:
        line += f", converted from {transfer['from']} (lips off by {transfer['lips_mean_mm']:.1f} mm on average)"
    transcript = motion.meta.get("transcript")
    if not transcript:
        return line
    outside = transcript.get("outside", 0)  # motions of 0.2 do not have it
    fit = f"{transcript['fitting']} of {transcript['words'] - outside} words of the transcript fit"
    if not transcript["followed"]:
        return f"{line}; {fit}, so that the sound alone was followed"
    return f"{line}; {fit}, {outside} more are not in this sound" if outside else f"{line}; {fit}"


def keep_words(request: Request, speech: Speech) -> None:
    """Write recognised words into the field that keeps the words of the sound, and how many of its words fitted."""
    if request.place is None or request.place.is_linked:
        return
    if speech.recognition is not None and not fill_in(request.place, speech.recognition):
        return
    words, transcript = request.place.find(), speech.raw.emotional.meta.get("transcript")
    if words is not None and transcript:
        words.num_words, words.num_fitting = transcript["words"] - transcript["outside"], transcript["fitting"]


def misfits(request: Request, motion: FaceMotion) -> list[str]:
    """Words of a motion's transcript that do not match the sound, one sentence each; none for recognised words."""
    if request.words.may_be_left_out:
        return []
    return list(motion.meta.get("transcript", {}).get("misfits", ()))


def _present_start(scene: bpy.types.Scene, strip: StripSound) -> int:
    """The first audible frame of a strip now; raises InputError if the audible part has changed since `prepare`."""
    try:
        placed = find_strip(scene, strip.strip)
        now, sound = audible_part(placed), placed.strip.sound
    except InputError as error:
        raise InputError(f"the strip was deleted or changed while its speech was made ({error})") from error
    part, part_now = (
        (item.retiming, round(item.source_start_seconds, 3), round(item.duration_seconds, 3)) for item in (strip, now)
    )
    if part != part_now or sound is None or sound_file(sound) != strip.path:
        raise InputError(f"strip {strip.strip!r} was trimmed or changed while its speech was made; generate it again")
    return now.frame_start


_loaded: tuple[tuple, EMOTEPipeline] | None = None


def pipeline_of(folder: Path) -> EMOTEPipeline:
    """The pipeline of a model; the last one is cached until its files change."""
    global _loaded
    from ...pipeline import EMOTEPipeline

    key = (folder, *stamps(folder))
    loaded = _loaded  # another thread may exchange it at any time
    if loaded is None or loaded[0] != key:
        _loaded = loaded = (key, EMOTEPipeline.from_pretrained(str(folder)))
    return loaded[1]


def forget_pipeline() -> None:
    """Drop the cached model."""
    global _loaded
    _loaded = None
