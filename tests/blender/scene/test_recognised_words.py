"""Words that nobody typed: recognised, kept with the strip, corrected, never replaced unasked."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
import soundfile

from emote_blender.blender.compat import new_sound_strip, show_in_sequencers, strip_timing
from emote_blender.blender.jobs import features, generation, recognition, worker
from emote_blender.blender.operators.transcribe import EMOTE_OT_transcribe, recognise_all
from emote_blender.blender.settings.recogniser_info import addon_preferences, recogniser_folder
from emote_blender.blender.settings.transcript_state import mode_of
from emote_blender.blender.takes.store import kept_raw
from emote_blender.blender.ui.panel_state import panel_state
from emote_blender.errors import Cancelled
from emote_blender.transcript.recognisers.choose import close_recogniser

pytestmark = pytest.mark.ends

CLIP = Path(__file__).resolve().parents[2] / "data" / "anger_line.wav"
SPOKEN = "I told you never to open that door. Now look at what you have done!"


@pytest.fixture
def strip(scene):
    return new_sound_strip(scene, "Line 01", str(CLIP), channel=1, frame_start=1)


@pytest.fixture
def speaker(scene):
    """The open head, which the open model moves."""
    bpy.ops.emote.add_head(head="open_head")
    return bpy.context.view_layer.objects.active


@pytest.fixture
def hum(scene, tmp_path):
    """A strip of two seconds without a word."""
    time = np.arange(32000) / 16000
    soundfile.write(tmp_path / "hum.wav", 0.1 * np.sin(2 * np.pi * 50 * time), 16000)
    return new_sound_strip(scene, "Hum", str(tmp_path / "hum.wav"), channel=3, frame_start=1)


def jaw(head, number: int = -1) -> np.ndarray:
    """Jaw rotations of one of the head's takes."""
    return kept_raw(head.emote.takes[number].action).emotional.jaw


def words_line() -> str:
    bpy.context.view_layer.update()
    return panel_state(bpy.context).words.line


def test_words_are_recognised_once_and_the_second_take_with_them_is_the_same(strip, speaker):
    assert bpy.ops.emote.generate() == {"FINISHED"}
    words = strip.emote.transcript
    assert {"told", "never", "look", "done"} <= set(words.split())
    assert (words, strip.emote.transcript_mode) == (strip.emote.recognised, "AUTO")
    assert strip.emote.num_words == len(words.split())
    recognition.forget_recognised()  # what is kept with the strip is enough
    assert bpy.ops.emote.generate() == {"FINISHED"}
    assert strip.emote.transcript == words
    np.testing.assert_array_equal(jaw(speaker, 0), jaw(speaker, 1))
    assert bpy.ops.emote.generate(transcript="none") == {"FINISHED"}
    assert np.abs(jaw(speaker) - jaw(speaker, 0)).max() > 0.005  # radians


def test_a_corrected_word_is_followed_and_never_replaced_unasked(strip, speaker, capfd):
    bpy.ops.emote.transcribe()
    recognised = strip.emote.transcript
    assert words_line().startswith("Recognised (pocketsphinx)")
    strip.emote.transcript = SPOKEN
    assert (strip.emote.transcript_mode, words_line()) == ("WRITTEN", "Corrected")
    assert bpy.ops.emote.generate() == {"FINISHED"}
    assert kept_raw(speaker.emote.takes[-1].action).emotional.meta["transcript"]["fitting"] == 15
    with pytest.raises(RuntimeError, match=r"written by hand \('I told you never to open that door. Now…'\)"):
        bpy.ops.emote.transcribe()
    assert bpy.ops.emote.generate(transcript="auto") == {"FINISHED"}
    assert strip.emote.transcript == SPOKEN
    assert bpy.ops.emote.transcribe(overwrite=True) == {"FINISHED"}
    assert (strip.emote.transcript, strip.emote.transcript_mode) == (recognised, "AUTO")


def test_clearing_the_field_lets_the_words_be_recognised_again(strip):
    strip.emote.transcript = "Something else"
    assert strip.emote.transcript_mode == "WRITTEN"
    strip.emote.transcript = ""
    assert strip.emote.transcript_mode == "AUTO"


def test_words_of_a_file_without_a_mode_are_the_artists(strip):
    strip.emote["transcript"] = "Old words"  # as versions without a mode saved them: no update runs
    if strip.emote.transcript != "Old words":  # 5.0 keeps properties apart from custom ones
        strip.emote.transcript = "Old words"
        strip.emote.transcript_mode = "AUTO"
    assert mode_of(strip.emote) == "WRITTEN"
    with pytest.raises(RuntimeError, match="written by hand"):
        bpy.ops.emote.transcribe()


def test_without_words_the_sound_alone_is_followed(strip, speaker):
    bpy.ops.emote.transcribe()
    strip.emote.transcript_mode = "NONE"
    bpy.ops.emote.generate()
    assert "transcript" not in kept_raw(speaker.emote.takes[-1].action).emotional.meta
    assert (words_line(), panel_state(bpy.context).words.is_used) == ("Sound alone", False)
    strip.emote.transcript = "Typed into the field"
    assert strip.emote.transcript_mode == "WRITTEN"


def test_written_words_that_are_still_missing_are_not_recognised(strip, speaker):
    strip.emote.transcript_mode = "WRITTEN"
    bpy.ops.emote.generate()
    assert (strip.emote.transcript, strip.emote.num_words) == ("", 0)


def test_a_sound_without_speech_is_followed_with_one_warning(hum, speaker, capfd):
    assert bpy.ops.emote.generate(strip="Hum") == {"FINISHED"}
    (warning,) = [line for line in capfd.readouterr().out.splitlines() if line.startswith("Warning: ")]
    assert "no speech was found" in warning
    assert (hum.emote.transcript, hum.emote.transcript_mode) == ("", "AUTO")
    with pytest.raises(RuntimeError, match="no speech was recognised in 'Hum'"):
        bpy.ops.emote.transcribe(strip="Hum")


def test_a_language_without_a_recogniser_is_followed_by_its_sound(strip, speaker, capfd):
    strip.emote.language = "de"
    assert bpy.ops.emote.generate() == {"FINISHED"}
    printed = capfd.readouterr().out
    assert printed.count("Warning: ") == 1
    assert "understands en only, not de" in printed
    assert strip.emote.transcript == ""


def test_a_folder_that_holds_no_recogniser_stops_no_take(strip, speaker, capfd, monkeypatch, tmp_path):
    from emote_blender.blender.jobs import planned_words

    monkeypatch.setattr(planned_words, "recogniser_folder", lambda: str(tmp_path))
    assert bpy.ops.emote.generate() == {"FINISHED"}
    assert "the sound alone was followed" in capfd.readouterr().out


def test_what_the_artist_types_meanwhile_wins(scene, strip, speaker):
    choices = generation.Choices(
        head=speaker, strip="", audio="", frame_start=1, emotion=None, intensity=None, speaker="", model="emote_open"
    )
    request = generation.prepare(scene, choices)
    speech = generation.compute(request)
    strip.emote.transcript = "Typed meanwhile"
    generation.keep_words(request, speech)
    assert (strip.emote.transcript, strip.emote.num_words) == ("Typed meanwhile", 0)


def test_a_cut_strip_keeps_the_whole_text(scene, strip):
    bpy.ops.emote.transcribe()
    text = strip.emote.transcript
    rest = strip.split(frame=40, split_method="SOFT")
    assert (rest.emote.transcript, rest.emote.recognised) == (text, text)
    scene.emote.strip = rest.name
    assert panel_state(bpy.context).words.remark == ""
    copy = scene.copy()
    assert {item.emote.transcript for item in copy.sequence_editor.strips_all} == {text}


def test_a_strip_that_shows_more_than_was_recognised_says_so_and_is_recognised_again(scene, strip, speaker, capfd):
    whole = strip_timing(strip).right
    strip.split(frame=50, split_method="SOFT")
    scene.sequence_editor.strips.remove(next(item for item in scene.sequence_editor.strips if item != strip))
    bpy.ops.emote.transcribe()
    half = strip.emote.transcript
    if hasattr(strip, "right_handle"):
        strip.right_handle = int(whole)
    else:
        strip.frame_final_end = int(whole)
    bpy.context.view_layer.update()
    folder = recogniser_folder()
    addon_preferences().recogniser_folder = "/nowhere"
    assert bpy.ops.emote.generate() == {"FINISHED"}
    assert "; the words from before were followed" in capfd.readouterr().out
    addon_preferences().recogniser_folder = folder
    remark = panel_state(bpy.context).remarks[-1]
    assert remark.startswith("Since the words were recognised, the strip was lengthened: they are recognised again")
    bpy.ops.emote.generate()
    assert len(strip.emote.transcript.split()) > len(half.split())
    bpy.context.view_layer.update()
    assert panel_state(bpy.context).words.remark == ""


def test_corrected_words_of_another_sound_are_kept_with_a_warning(scene, strip, speaker, tmp_path, capfd):
    bpy.ops.emote.transcribe()
    strip.emote.transcript = SPOKEN
    shutil.copy(CLIP, tmp_path / "retake.wav")
    strip.sound.filepath = str(tmp_path / "retake.wav")
    changed = panel_state(bpy.context).words
    assert changed.are_own
    assert changed.is_outdated
    bpy.ops.emote.generate()
    assert "since the words of 'Line 01' were recognised, the sound file was changed" in capfd.readouterr().out
    assert strip.emote.transcript == SPOKEN


def test_all_selected_strips_are_recognised_and_written_ones_left_alone(scene, strip, hum, capfd):
    other = new_sound_strip(scene, "Line 02", str(CLIP), channel=2, frame_start=200)
    other.emote.transcript = "My words"
    for item in (strip, other, hum):
        item.select = True
    assert bpy.ops.emote.transcribe(strips="SELECTED") == {"FINISHED"}
    assert "told" in strip.emote.transcript
    assert (other.emote.transcript, hum.emote.transcript) == ("My words", "")
    assert scene.emote.last_result == "the words of 1 of 3 sounds were recognised"
    printed = capfd.readouterr().out
    assert "no speech was recognised in 'Hum'" in printed
    assert "the words of 'Line 02' were written by hand ('My words') and are kept" in printed


def test_a_selected_strip_that_has_lost_its_sound_leaves_the_others_their_words(scene, strip, tmp_path, capfd):
    shutil.copy(CLIP, tmp_path / "other.wav")
    lost = new_sound_strip(scene, "Lost", str(tmp_path / "other.wav"), channel=2, frame_start=1)
    bpy.data.sounds.remove(lost.sound)
    strip.select = lost.select = True
    assert bpy.ops.emote.transcribe(strips="SELECTED") == {"FINISHED"}
    assert "told" in strip.emote.transcript
    assert scene.emote.last_result == "the words of 1 of 2 sounds were recognised"
    assert "Warning: strip 'Lost' has lost its sound" in capfd.readouterr().out


def test_a_head_keeps_the_words_of_its_file(scene, speaker):
    speaker.emote.source, speaker.emote.audio = "FILE", str(CLIP)
    bpy.ops.emote.transcribe()
    assert "told" in speaker.emote.transcript
    assert speaker.emote.transcript_mode == "AUTO"
    bpy.ops.emote.generate()
    assert speaker.emote.num_words > 10


def test_a_scene_without_a_head_keeps_the_words_of_its_file(scene):
    scene.emote.source, scene.emote.audio = "FILE", str(CLIP)
    bpy.ops.emote.transcribe()
    assert "told" in scene.emote.transcript


def test_words_and_what_is_known_of_them_are_saved(strip, tmp_path):
    bpy.ops.emote.transcribe()
    line, text = words_line(), strip.emote.transcript
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    (strip,) = bpy.context.scene.sequence_editor.strips
    assert (strip.emote.transcript, strip.emote.transcript_mode) == (text, "AUTO")
    assert panel_state(bpy.context).words.line == line


def test_one_undo_takes_the_words_back(strip):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.emote.transcribe("EXEC_DEFAULT", True)
    assert bpy.context.scene.sequence_editor.strips[0].emote.transcript
    bpy.ops.ed.undo()
    assert bpy.context.scene.sequence_editor.strips[0].emote.transcript == ""
    bpy.ops.ed.redo()
    assert "told" in bpy.context.scene.sequence_editor.strips[0].emote.transcript


def test_recognising_can_be_cancelled_and_shows_its_progress(scene, strip):
    lines = []

    def prepare_only(operator, context):
        lines.extend(operator.prepare(context))
        return {"FINISHED"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EMOTE_OT_transcribe, "run_now", prepare_only)
        bpy.ops.emote.transcribe()
    recognition.forget_recognised()
    steps = []
    with pytest.raises(Cancelled):
        recognise_all(lines, lambda fraction, text: steps.append(fraction), lambda: True)
    recognise_all(lines, lambda fraction, text: steps.append(fraction), lambda: False)
    assert steps == sorted(steps)
    assert steps[-1] == 1.0


def test_a_recogniser_needs_no_name_in_a_damaged_record(strip):
    bpy.ops.emote.transcribe()
    strip.emote.recognition = "{]"
    assert words_line() == "Recognised"


@pytest.mark.parametrize("name", ["uncertain", "recogniser", "language", "part"])
def test_a_damaged_record_of_the_recognition_breaks_no_panel(strip, name):
    bpy.ops.emote.transcribe()
    record = json.loads(strip.emote.recognition)
    damaged = {"file": "a.wav", "num_bytes": 1, "start_seconds": "early", "end_seconds": []} if name == "part" else [3]
    strip.emote.recognition = json.dumps({**record, name: damaged})
    assert words_line().startswith("Recognised")


def test_a_long_uncertain_word_is_shortened_in_the_panel(strip):
    """In languages without spaces a whole sentence may be one."""
    bpy.ops.emote.transcribe()
    record = json.loads(strip.emote.recognition)
    strip.emote.recognition = json.dumps({**record, "uncertain": ["x" * 300]})
    assert words_line().endswith(f"1 word uncertain: {'x' * 23}…")


@pytest.fixture
def hallo(scene, tmp_path):
    """A strip that the tiny Whisper of tests/data understands as German: a sum of high tones."""
    time = np.arange(16000) / 16000
    tones = np.sin(2 * np.pi * np.arange(2600, 7000, 100)[:, None] * time).sum(axis=0) / 60
    soundfile.write(tmp_path / "hallo.wav", np.pad(tones, 8000), 16000)
    return new_sound_strip(scene, "Hallo", str(tmp_path / "hallo.wav"), channel=1, frame_start=1)


@pytest.fixture
def whisper(tmp_path):
    """The folder of that recogniser, chosen in the preferences."""
    folder = tmp_path / "whisper"
    shutil.copytree(CLIP.parent / "recognisers" / "whisper", folder)
    preferences = addon_preferences()
    preferences.recogniser_folder = str(folder)
    yield folder
    preferences.recogniser_folder = ""
    close_recogniser()


def test_the_recogniser_of_the_preferences_tells_words_and_language(hallo, speaker, whisper):
    assert bpy.ops.emote.generate() == {"FINISHED"}
    assert hallo.emote.transcript == "hallo Welt"
    assert words_line().startswith("Recognised (Whisper")
    assert kept_raw(speaker.emote.takes[-1].action).emotional.meta["transcript"]["language"] == "de"


def test_a_language_that_espeak_does_not_speak_is_followed_by_its_sound(hallo, speaker, whisper, capfd):
    tokens = (whisper / "added_tokens.json").read_text(encoding="utf-8")
    (whisper / "added_tokens.json").write_text(tokens.replace("<|de|>", "<|yo|>"), encoding="utf-8")
    assert bpy.ops.emote.generate() == {"FINISHED"}
    assert hallo.emote.transcript == ""
    assert "unknown language 'yo'" in capfd.readouterr().out


@pytest.fixture
def press(monkeypatch):
    """A function that runs `script(operator, context)` inside Recognise Words, in place of Blender's window."""

    def press(script):
        monkeypatch.setattr(EMOTE_OT_transcribe, "execute", script)
        return bpy.ops.emote.transcribe()

    yield press
    worker.stop_all()


def tick(operator, context, event="TIMER", value="NOTHING"):
    return operator.modal(context, SimpleNamespace(type=event, value=value))


def test_the_button_recognises_on_its_thread(strip, press):
    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert worker.running().title == "The transcript of 'Line 01'"
        assert operator._job.join(60)
        return tick(operator, context)

    assert press(script) == {"FINISHED"}
    assert "told" in strip.emote.transcript


def test_escape_leaves_the_field_as_it_was(scene, strip, press):
    recognition.forget_recognised()

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        tick(operator, context, "ESC", "PRESS")
        return tick(operator, context)

    assert press(script) == {"CANCELLED"}
    assert strip.emote.transcript == ""
    assert scene.emote.last_result == "Cancelled; nothing was changed"


def test_what_is_typed_while_words_are_recognised_is_kept(strip, press):
    def script(operator, context):
        operator.start_job(operator.prepare(context))
        strip.emote.transcript = "Typed meanwhile"
        assert operator._job.join(60)
        return tick(operator, context)

    with pytest.raises(RuntimeError, match="the words of 'Line 01' were changed meanwhile, and are kept"):
        press(script)
    assert strip.emote.transcript == "Typed meanwhile"


def test_a_take_that_gets_another_emotion_needs_no_words(strip, speaker):
    bpy.ops.emote.generate(transcript="none")
    recognition.forget_recognised()
    features.forget_features()  # the sound must be encoded again
    speaker.emote.emotion = "ANGER"
    assert bpy.ops.emote.rerender() == {"FINISHED"}
    assert (strip.emote.transcript, recognition._kept) == ("", {})


def test_a_strip_of_another_file_keeps_no_words_here(scene, strip, face, tmp_path):
    """It is recognised and spoken, but nothing can be written into it."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "dialogue.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.scene.name = "Local"
    bpy.ops.emote.add_head(head="open_head")
    head = bpy.context.view_layer.objects.active
    with bpy.data.libraries.load(str(tmp_path / "dialogue.blend"), link=True) as (_, wanted):
        wanted.scenes = ["Scene"]
    (linked,) = wanted.scenes
    show_in_sequencers(linked)
    if not hasattr(bpy.context, "sequencer_scene"):
        bpy.context.window.scene = linked
    assert bpy.ops.emote.generate(strip="Line 01", head=head.name) == {"FINISHED"}
    assert kept_raw(head.emote.takes[-1].action).emotional.meta["transcript"]["words"] > 10
    assert linked.sequence_editor.strips[0].emote.transcript == ""
    with pytest.raises(RuntimeError, match="'Line 01' is linked from another file"):
        bpy.ops.emote.transcribe(strip="Line 01")
    with pytest.raises(RuntimeError, match="linked from another file; give it its words there"):
        bpy.ops.emote.take_transcript()


def test_another_language_lets_words_that_nobody_changed_be_recognised_again(strip, speaker, capfd):
    bpy.ops.emote.transcribe()
    strip.emote.language = "de"
    assert panel_state(bpy.context).words.remark.startswith("Since the words were recognised, the language was changed")
    assert bpy.ops.emote.generate() == {"FINISHED"}  # there is no recogniser for it
    assert "understands en only, not de" in capfd.readouterr().out
    assert "transcript" not in kept_raw(speaker.emote.takes[-1].action).emotional.meta
    strip.emote.transcript = SPOKEN  # whatever its language
    assert panel_state(bpy.context).words.remark == ""


def test_a_strip_that_is_renamed_meanwhile_is_named_as_such(strip, press):
    def script(operator, context):
        operator.start_job(operator.prepare(context))
        strip.name = "Line 02"
        assert operator._job.join(60)
        return tick(operator, context)

    with pytest.raises(RuntimeError, match="'Line 01' was renamed or deleted meanwhile"):
        press(script)
    assert strip.emote.transcript == ""


def test_a_strip_without_a_name_is_refused(scene, strip):
    """Its words went into the scene's settings."""
    strip.name = ""
    with pytest.raises(RuntimeError, match="the sound strip at frame 1 has no name"):
        bpy.ops.emote.transcribe()
    assert scene.emote.transcript == ""
