"""Registration with Blender: classes in order, settings, handlers, the command; and the way back."""

from __future__ import annotations

import atexit
import functools
from typing import Any

import bpy

from ..audio import load_audio
from ..sound_files.with_aud import AudSound
from ..transcript.recognisers.choose import close_recogniser
from . import bundle
from .characters import preview_watch, table_state
from .check.shown import forget_checks
from .jobs import capture, features, generation, job_operator, live_emotion, recognition, worker
from .narrow import present
from .operators.alive import EMOTE_OT_alive_idle, EMOTE_OT_update_gaze
from .operators.animatable import EMOTE_OT_make_animatable
from .operators.bake import EMOTE_OT_bake_action, EMOTE_OT_bake_restore
from .operators.capture import CLASSES as CAPTURE_OPERATORS
from .operators.capture_mix import CLASSES as CAPTURE_MIX_OPERATORS
from .operators.capture_preview import CLASSES as CAPTURE_PREVIEW_OPERATORS
from .operators.character import CLASSES as CHARACTER_OPERATORS
from .operators.check import EMOTE_OT_check, EMOTE_OT_fix
from .operators.choose import (
    EMOTE_OT_choose_folder,
    EMOTE_OT_choose_head,
    EMOTE_OT_choose_strip,
    EMOTE_OT_pin_head,
    EMOTE_OT_use_selected,
)
from .operators.convert import EMOTE_OT_convert
from .operators.dialogue import CLASSES as DIALOGUE_OPERATORS
from .operators.emotion_pose import EMOTE_OT_apply_emotion_pose, EMOTE_OT_make_pose_assets
from .operators.emotion_preset import EMOTE_OT_add_emotion_preset, EMOTE_OT_apply_emotion_preset
from .operators.generate import EMOTE_OT_generate
from .operators.head import EMOTE_OT_add_blink_keys, EMOTE_OT_add_head, EMOTE_OT_update_joints
from .operators.job import EMOTE_OT_cancel
from .operators.landmarker import EMOTE_OT_install_landmarker
from .operators.models import EMOTE_OT_refresh_models
from .operators.moments import (
    EMOTE_OT_add_moment,
    EMOTE_OT_export_emotion,
    EMOTE_OT_import_emotion,
    EMOTE_OT_moments_from_markers,
    EMOTE_OT_remove_moment,
    EMOTE_OT_replace_emotion_keys,
    EMOTE_OT_suggest_emotion,
)
from .operators.motion import CLASSES as MOTION_OPERATORS
from .operators.recogniser import (
    EMOTE_OT_download_recogniser,
    EMOTE_OT_remove_recogniser,
    EMOTE_OT_use_recogniser,
)
from .operators.refine import EMOTE_OT_refine_copy, EMOTE_OT_refine_reset
from .operators.rerender import EMOTE_OT_rerender
from .operators.sound import EMOTE_OT_add_sound
from .operators.take_asset import CLASSES as TAKE_ASSET_OPERATORS
from .operators.take_edit import CLASSES as TAKE_EDIT_OPERATORS
from .operators.takes import CLASSES as TAKE_OPERATORS
from .operators.transcribe import EMOTE_OT_transcribe
from .operators.transcript import EMOTE_MT_transcript, EMOTE_OT_take_transcript
from .scene import changes, emotion_keys
from .settings import head_copy, live
from .settings.models_folder import ROOT_PACKAGE, apply_models_folder, forget_models_folder, stored_models_folder
from .settings.registration import add_settings, remove_settings
from .takes import character_watch, face_maps, gaze_watch, make_animatable, slider_watch
from .takes.rewrite import follow_slider
from .ui import add_menu, manual_map, menus, mix_picture, panel_state, translations
from .ui.drop import EMOTE_FH_capture, EMOTE_FH_video
from .ui.panels import MENUS_AND_LISTS, PANELS
from .ui.preferences import EMOTE_AP_preferences

CLASSES: tuple[Any, ...] = (
    EMOTE_OT_refresh_models,
    EMOTE_OT_convert,
    EMOTE_OT_download_recogniser,
    EMOTE_OT_use_recogniser,
    EMOTE_OT_remove_recogniser,
    EMOTE_AP_preferences,
    EMOTE_OT_add_head,
    EMOTE_OT_make_animatable,
    *MOTION_OPERATORS,
    EMOTE_OT_bake_action,
    EMOTE_OT_bake_restore,
    EMOTE_OT_update_joints,
    EMOTE_OT_add_blink_keys,
    EMOTE_OT_apply_emotion_pose,
    EMOTE_OT_make_pose_assets,
    EMOTE_OT_cancel,
    EMOTE_OT_check,
    EMOTE_OT_fix,
    EMOTE_OT_generate,
    *CAPTURE_OPERATORS,
    *CAPTURE_PREVIEW_OPERATORS,
    *CAPTURE_MIX_OPERATORS,
    *DIALOGUE_OPERATORS,
    EMOTE_OT_rerender,
    EMOTE_OT_add_moment,
    EMOTE_OT_remove_moment,
    EMOTE_OT_moments_from_markers,
    EMOTE_OT_replace_emotion_keys,
    EMOTE_OT_suggest_emotion,
    EMOTE_OT_import_emotion,
    EMOTE_OT_export_emotion,
    *TAKE_OPERATORS,
    *TAKE_ASSET_OPERATORS,
    EMOTE_OT_update_gaze,
    EMOTE_OT_alive_idle,
    *TAKE_EDIT_OPERATORS,
    EMOTE_OT_transcribe,
    EMOTE_OT_take_transcript,
    EMOTE_OT_refine_copy,
    EMOTE_OT_refine_reset,
    *CHARACTER_OPERATORS,
    EMOTE_MT_transcript,
    EMOTE_OT_choose_head,
    EMOTE_OT_pin_head,
    EMOTE_OT_use_selected,
    EMOTE_OT_choose_strip,
    EMOTE_OT_choose_folder,
    EMOTE_OT_install_landmarker,
    EMOTE_OT_add_sound,
    EMOTE_OT_add_emotion_preset,
    EMOTE_OT_apply_emotion_preset,
    EMOTE_FH_capture,
    EMOTE_FH_video,
    *MENUS_AND_LISTS,
    *PANELS,
)

_commands: list = []


def register() -> None:
    """Register operators, panels, settings, handlers and the command `emote`."""
    add_settings()
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    apply_models_folder(stored_models_folder())
    changes.add_handlers()
    bpy.app.handlers.load_post.append(job_operator.forget_orphan)
    head_copy.add_handler()
    make_animatable.add_handlers()
    add_menu.add_to_menu()
    menus.add_to_menus()
    manual_map.add_manual()
    translations.add_translations()
    emotion_keys.start()
    live.listen("refine", follow_slider)
    character_watch.start()
    preview_watch.start()
    mix_picture.start()
    slider_watch.start()
    gaze_watch.start()
    live_emotion.start()
    bundle.check()
    command: Any = bpy.utils.register_cli_command("emote", run_command)  # type: ignore[func-returns-value] # a handle
    _commands.append(command)
    if bpy.app.module:
        _list_addon()
        # Blender's Python module hangs or crashes when Python ends while classes or commands are registered (4.5, 5.0).
        atexit.register(unregister)


def unregister() -> None:
    """Undo `register` in reverse, and end every job."""
    if not _commands:
        return  # taken back when Python ended; Blender's module then disables every add-on once more
    atexit.unregister(unregister)
    job_operator.forget_orphan()
    worker.stop_all()
    generation.forget_pipeline()
    features.forget_features()
    recognition.forget_recognised()
    capture.forget_tracks()
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    translations.remove_translations()
    manual_map.remove_manual()
    menus.remove_from_menus()
    add_menu.remove_from_menu()
    gaze_watch.stop()
    slider_watch.stop()
    live.stop_listening("refine", follow_slider)
    live_emotion.stop()
    mix_picture.stop()
    preview_watch.stop()
    character_watch.stop()
    emotion_keys.stop()
    make_animatable.remove_handlers()
    head_copy.remove_handler()
    bpy.app.handlers.load_post.remove(job_operator.forget_orphan)
    changes.remove_handlers()
    panel_state.forget_states()
    table_state.forget_states()
    forget_checks()
    face_maps.forget_maps()
    forget_models_folder()
    close_recogniser()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    remove_settings()
    if bpy.app.module:
        _unlist_addon()


def _list_addon() -> None:
    """List the add-on among the enabled ones, as exporters look for hooks there; for scripts that call `register`."""
    addons = present(bpy.context.preferences).addons
    if ROOT_PACKAGE not in addons:
        addons.new().module = ROOT_PACKAGE


def _unlist_addon() -> None:
    addons = present(bpy.context.preferences).addons
    listed = addons.get(ROOT_PACKAGE)
    if listed is not None:
        addons.remove(listed)


def run_command(arguments: list[str]) -> int:
    """Run `blender --command emote ARGUMENTS` with Blender as decoder of sound and video, and return the exit code."""
    from ..capture.video.track_file import VideoReader
    from ..cli import main as cli
    from .scene.movie_file import MovieFile
    from .settings.landmarker_info import landmarker_folder

    reader = VideoReader(MovieFile, landmarker_folder)
    return cli.main(arguments, decode=functools.partial(load_audio, decoder=AudSound), reader=reader)
