"""The words of a strip: kept with it, followed by the take, taken from a text, refused with a sentence."""

import re
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest
from counted_steps import counted_steps

from emote_blender.blender.compat import new_sound_strip
from emote_blender.blender.jobs import generation
from emote_blender.blender.scene.placed_strip import on_own_timeline
from emote_blender.blender.scene.strips import read_strip
from emote_blender.blender.settings.transcript_state import keep_cues, kept_cues
from emote_blender.blender.takes.store import kept_raw
from emote_blender.blender.ui.panel_state import panel_state
from emote_blender.transcript.timed_transcript import Cue, TimedTranscript

CLIP = Path(__file__).resolve().parents[2] / "data" / "anger_line.wav"
TEXT = "I told you never to open that door. Now look at what you have done!"


@pytest.fixture
def strip(scene):
    return new_sound_strip(scene, "Line 01", str(CLIP), channel=1, frame_start=1)


@pytest.fixture
def speaker(scene):
    """The open head, and the open model to move it."""
    bpy.ops.emote.add_head(head="open_head")
    return bpy.context.view_layer.objects.active


def take(head) -> tuple[np.ndarray, dict]:
    """Jaw rotations and meta of the head's present take."""
    motion = kept_raw(head.emote.takes[-1].action).emotional
    return motion.jaw, motion.meta


def test_a_strip_keeps_its_words_in_the_file(strip, tmp_path):
    strip.emote.transcript, strip.emote.language = TEXT, "en-gb"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    editor = bpy.context.scene.sequence_editor
    (strip,) = editor.strips
    assert (strip.emote.transcript, strip.emote.language) == (TEXT, "en-gb")


def test_the_words_of_a_strip_move_the_mouth_and_an_argument_wins_over_them(scene, strip, speaker):
    bpy.ops.emote.generate(transcript="none")
    untold, meta = take(speaker)
    assert "transcript" not in meta
    strip.emote.transcript = TEXT
    bpy.ops.emote.generate()
    told, meta = take(speaker)
    assert np.abs(told - untold).max() > 0.005  # radians
    counts = {"words": 15, "outside": 0, "fitting": 15, "followed": 15}
    report = meta["transcript"]
    assert report.pop("share_of_sound") > 0.95
    assert report == {"language": "en-us", **counts, "misfits": []}
    assert scene.emote.last_result.endswith("; 15 of 15 words of the transcript fit")
    bpy.ops.emote.generate(transcript="")
    np.testing.assert_array_equal(take(speaker)[0], untold)


def test_words_that_do_not_fit_are_warned_of(scene, speaker, capfd):
    scene.emote.source, scene.emote.audio = "FILE", str(CLIP)
    scene.emote.transcript = TEXT.replace("never to open", "maybe someone")
    assert bpy.ops.emote.generate() == {"FINISHED"}
    assert "maybe someone" in capfd.readouterr().out
    assert scene.emote.last_result.endswith("; 12 of 14 words of the transcript fit")
    bpy.ops.emote.generate(audio=str(CLIP), transcript="none")
    assert "transcript" not in take(speaker)[1]


def test_a_part_of_a_strip_is_spoken_with_the_words_of_all_of_it(scene, strip, speaker, capfd):
    strip.emote.transcript = TEXT
    strip.frame_final_start = strip.frame_final_start + 54  # at 2.16 s, before "Now"
    bpy.ops.emote.generate()
    assert take(speaker)[1]["transcript"]["followed"] == 7
    assert scene.emote.last_result.endswith("; 7 of 7 words of the transcript fit, 8 more are not in this sound")
    assert (strip.emote.num_words, strip.emote.num_fitting) == (7, 7)
    (warning,) = [line for line in capfd.readouterr().out.splitlines() if "part of the transcript" in line]
    assert "'Now look at what you have done'; 8 of its 15 words are not in this sound" in warning


def test_words_of_another_text_are_counted_alike_in_panel_and_report(scene, speaker, capfd):
    scene.emote.source, scene.emote.audio = "FILE", str(CLIP)
    scene.emote.transcript = "Wonderful pineapples grow slowly behind every open old window, now " * 2
    assert bpy.ops.emote.generate() == {"FINISHED"}
    ((fitting, words),) = re.findall(r"\((\d+) of (\d+) words do", capfd.readouterr().out)
    expected = f"; {fitting} of {words} words of the transcript fit, so that the sound alone was followed"
    assert scene.emote.last_result.endswith(expected)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ({"transcript": "hi", "language": "xx"}, "unknown language 'xx'"),
        ({"transcript": "?!"}, "the transcript has no words"),
        ({"transcript": "/nowhere/missing.txt"}, "missing.txt not found"),
    ],
)
def test_words_that_cannot_be_used_are_refused(strip, speaker, arguments, complaint):
    with pytest.raises(RuntimeError, match=complaint):
        bpy.ops.emote.generate(**arguments)


def test_a_model_without_a_phone_head_leaves_the_words_out_and_says_so(scene, strip, head, make_tiny_folder, tmp_path):
    folder = make_tiny_folder(tmp_path / "tiny", audio="wav2vec2", num_expression=6)
    scene.emote.model, strip.emote.transcript = str(folder), TEXT
    assert "The model cannot use the transcript: the sound alone will be followed" in list(
        panel_state(bpy.context).cautions
    )
    choices = generation.Choices(
        head=head, strip="", audio="", frame_start=1, emotion="sad", intensity=1.0, speaker="", model=str(folder)
    )
    request = generation.prepare(scene, choices)
    assert request.words.transcript is None
    assert request.words.warnings == ("the model tiny_wav2vec2 cannot use a transcript; the sound alone was followed",)


def test_a_transcript_is_taken_from_a_text_of_the_file(strip):
    text = bpy.data.texts.new("script")
    text.write("Hello\nthere,  you!\n")
    assert bpy.ops.emote.take_transcript(text="script") == {"FINISHED"}
    assert strip.emote.transcript == "Hello there, you!"
    with pytest.raises(RuntimeError, match="has no text 'other'"):
        bpy.ops.emote.take_transcript(text="other")


def test_a_transcript_is_taken_from_the_file_beside_the_sound(scene, ramp_wav):
    sound = ramp_wav("line 01.wav")
    strip = new_sound_strip(scene, "Line", str(sound), channel=1, frame_start=1)
    with pytest.raises(RuntimeError, match=r"line 01\.txt not found"):
        bpy.ops.emote.take_transcript()
    sound.with_suffix(".txt").write_text("Grüß Gott", encoding="utf-8-sig")
    bpy.ops.emote.take_transcript()
    assert strip.emote.transcript == "Grüß Gott"
    scene.emote.source = "FILE"
    with pytest.raises(RuntimeError, match="no sound file is chosen"):
        bpy.ops.emote.take_transcript()
    scene.emote.audio = str(sound)
    bpy.ops.emote.take_transcript()
    assert scene.emote.transcript == "Grüß Gott"


def text_strip(scene, text: str, start: int, end: int, channel: int = 5):
    """A text strip of the sequencer."""
    length = {"length": end - start} if bpy.app.version >= (5, 0, 0) else {"frame_end": end}
    strip = scene.sequence_editor.strips.new_effect(
        name="Text", type="TEXT", channel=channel, frame_start=start, **length
    )
    strip.text = text
    return strip


def test_text_strips_over_the_sound_are_taken_with_their_times(scene, strip):
    text_strip(scene, "Now look at\nwhat you have done!", 60, 90)
    text_strip(scene, "[door slams] I told you never to open that door.", 5, 50)
    text_strip(scene, "Another scene", 400, 500)
    text_strip(scene, "Jetzt sieh, was du getan hast!", 60, 90, channel=6).mute = True
    assert bpy.ops.emote.take_transcript(source="STRIPS") == {"FINISHED"}
    assert strip.emote.transcript == "I told you never to open that door. Now look at what you have done!"
    assert [(cue.start_seconds, cue.end_seconds) for cue in kept_cues(strip.emote).cues] == [
        (pytest.approx(4 / 25), pytest.approx(49 / 25)),
        (pytest.approx(59 / 25), pytest.approx(89 / 25)),
    ]
    context = bpy.context
    context.view_layer.update()
    assert panel_state(context).words.line == "2 cues with times"


def test_times_stay_with_the_sound_when_its_strip_is_cut_and_moved(scene, strip):
    text_strip(scene, "Now look", 61, 90)
    bpy.ops.emote.take_transcript(source="STRIPS")
    rest = strip.split(frame=51, split_method="SOFT")
    (cue,) = read_strip(on_own_timeline(rest)).timed_from_start(kept_cues(rest.emote)).cues
    assert (cue.start_seconds, cue.end_seconds) == (pytest.approx(10 / 25), pytest.approx(39 / 25))


def test_a_corrected_word_keeps_the_time_of_its_cue_and_another_text_has_none(scene, strip):
    text_strip(scene, "I told you never", 5, 30)
    text_strip(scene, "open the door", 30, 50)
    bpy.ops.emote.take_transcript(source="STRIPS")
    strip.emote.transcript = "I told you never to open that big door"
    assert [cue.text for cue in kept_cues(strip.emote).cues] == ["I told you never to", "open that big door"]
    strip.emote.transcript = "Something else is said here"
    assert kept_cues(strip.emote) is None
    strip.emote.cues = "[1]"
    assert kept_cues(strip.emote) is None


def test_without_text_strips_over_the_sound_there_is_a_sentence(strip):
    with pytest.raises(RuntimeError, match="no text strip lies over 'Line 01'"):
        bpy.ops.emote.take_transcript(source="STRIPS")
    with pytest.raises(RuntimeError, match="no file is given"):
        bpy.ops.emote.take_transcript(source="FILE")


SUBTITLES = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"


def test_subtitles_beside_the_sound_are_taken_in_its_language(scene, ramp_wav):
    sound = ramp_wav("line 01.wav")
    strip = new_sound_strip(scene, "Line", str(sound), channel=1, frame_start=1)
    for name, words in (("line 01.de.srt", "Guten Tag"), ("line 01.en.srt", "Good day"), ("line 012.srt", "No")):
        (sound.parent / name).write_text(SUBTITLES.format(words), encoding="utf-8")
    strip.emote.language = "en-gb"
    assert bpy.ops.emote.take_transcript() == {"FINISHED"}
    assert strip.emote.transcript == "Good day"
    assert kept_cues(strip.emote).shifted(-0.25).cues == (Cue("Good day", 0.75, 1.75),)
    bpy.ops.emote.take_transcript(filepath=str(sound.parent / "line 01.de.srt"))
    assert strip.emote.transcript == "Guten Tag"


def test_a_path_in_the_field_gives_times_from_the_beginning_of_the_strip(scene, speaker, tmp_path):
    subtitles = tmp_path / "line.srt"
    subtitles.write_text(SUBTITLES.format("Never to open that door"), encoding="utf-8")
    strip = new_sound_strip(scene, "Line 01", str(CLIP), channel=1, frame_start=1).split(frame=11, split_method="SOFT")
    strip.emote.transcript = str(subtitles)
    choices = generation.Choices(
        head=speaker, strip=strip.name, audio="", frame_start=1, emotion=None, intensity=None, speaker="",
        model="emote_open",
    )  # fmt: skip
    (cue,) = generation.prepare(scene, choices).words.transcript.cues
    assert (cue.start_seconds, cue.end_seconds) == (pytest.approx(0.6), pytest.approx(1.6))


def test_subtitles_in_a_text_of_the_file_keep_their_times(strip):
    bpy.data.texts.new("subtitles").write(SUBTITLES.format("Hello there"))
    bpy.ops.emote.take_transcript(text="subtitles")
    assert kept_cues(strip.emote).cues == (Cue("Hello there", 1.0, 2.0),)


def trim(strip, left: int, right: int) -> None:
    """Move the handles of a strip."""
    if hasattr(strip, "left_handle"):
        strip.left_handle, strip.right_handle = left, right
    else:
        strip.frame_final_start, strip.frame_final_end = left, right


def test_of_text_strips_in_a_meta_strip_only_what_it_shows_is_taken(scene, strip):
    meta = scene.sequence_editor.strips.new_meta(name="Meta", channel=8, frame_start=1)
    shown, hidden = text_strip(scene, "Shown", 1, 40, channel=2), text_strip(scene, "Cut away", 60, 80, channel=3)
    shown.move_to_meta(meta)
    hidden.move_to_meta(meta)
    trim(meta, 1, 26)
    bpy.ops.emote.take_transcript(source="STRIPS")
    assert kept_cues(strip.emote).cues == (Cue("Shown", 0.0, 1.0),)


def test_an_empty_text_strip_hides_no_muted_ones(scene, strip):
    text_strip(scene, "Muted", 1, 26, channel=2).mute = True
    text_strip(scene, "  ", 1, 26, channel=3)
    bpy.ops.emote.take_transcript(source="STRIPS")
    assert strip.emote.transcript == "Muted"


def test_a_correction_in_a_film_of_subtitles_does_not_stop_blender(strip):
    """Comparing 10,000 cues of words that repeat took minutes: a step for each pair of equal words."""
    cues = tuple(Cue(f"the quick fox number {n} told you never to go", 2.0 * n, 2.0 * n + 1.5) for n in range(2000))
    keep_cues(strip.emote, TimedTranscript(cues, "en"))
    strip.emote.transcript = strip.emote.transcript.replace("number 1000 ", "number one thousand ")
    assert counted_steps(kept_cues, strip.emote) < 500 * len(cues)
    assert kept_cues(strip.emote).cues[999:1002] == (
        cues[999],
        replace(cues[1000], text="the quick fox number one thousand told you never to go"),
        cues[1001],
    )
    strip.emote.transcript = strip.emote.transcript.replace("quick", "slow")
    assert counted_steps(kept_cues, strip.emote) < 500 * len(cues)
    assert kept_cues(strip.emote).cues[1400].text == cues[1400].text.replace("quick", "slow")


@pytest.mark.parametrize(
    "damaged", ['{"language": "en", "cues": [["", 1, 2]]}', '{"language": "en", "cues": [["a", NaN, 2]]}']
)
def test_cues_that_a_script_damaged_are_none(strip, damaged):
    strip.emote.transcript, strip.emote.cues = "Words", damaged
    assert kept_cues(strip.emote) is None
