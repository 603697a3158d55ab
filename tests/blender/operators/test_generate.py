"""The button: from a strip or a file to a take, and every way in which that can be refused."""

import shutil
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from wordless_strip import new_wordless_strip

from emote_blender.blender.head.build import add_head
from emote_blender.blender.jobs import generation, worker
from emote_blender.blender.scene.scene_file import set_frame_rate
from emote_blender.blender.settings.properties import result_about
from emote_blender.blender.takes.store import kept_raw
from emote_blender.errors import Cancelled, InputError, ModelError


@pytest.fixture(scope="module")
def model_folder(make_tiny_folder, tmp_path_factory):
    """A speech model of a few thousand random weights for the tiny face."""
    return make_tiny_folder(tmp_path_factory.mktemp("models") / "tiny", num_expression=6)


@pytest.fixture
def settings(scene, head, model_folder):
    """The scene's choices, with a head in the scene and the tiny model."""
    scene.emote.model = str(model_folder)
    scene.emote.transcript_mode = "NONE"
    return scene.emote


@pytest.fixture
def strip(scene, speech_wav):
    """A strip of one second that begins at frame 11."""
    return new_wordless_strip(scene, "Line 01", str(speech_wav), channel=1, frame_start=11)


def choices(scene, head, model_folder, **changes):
    """What the operator would ask for."""
    values = {"strip": "", "audio": "", "frame_start": 1, "emotion": "anger", "intensity": 1.0, "speaker": ""}
    return generation.Choices(head=head, model=str(model_folder), **{**values, **changes})


def newest(head):
    """The head's newest take."""
    return head.emote.takes[-1]


def first_and_last_frame(head):
    """Frames of the first and the last key of the newest take, without its transitions."""
    first, last = newest(head).action.frame_range
    rate = newest(head).fps
    return first + np.ceil(0.3 * rate - 1e-6), last - np.ceil(0.3 * rate - 1e-6)


def test_strip_becomes_a_take_named_after_strip_and_emotion(settings, strip, head):
    assert bpy.ops.emote.generate(strip="Line 01", emotion="ANGER", intensity=2.0) == {"FINISHED"}
    action = newest(head).action
    assert action.name == "Line 01 · Anger 2.00"
    strips = [
        strip
        for owner in (head.data.shape_keys, head.parent)
        for track in owner.animation_data.nla_tracks
        for strip in track.strips
        if strip.action == action
    ]
    assert len(strips) == 2
    assert head.parent.animation_data.action is None
    assert first_and_last_frame(head) == (11, 35)
    meta = kept_raw(action).emotional.meta
    assert (meta["emotion"], meta["intensity"], meta["speaker"], meta["audio"]) == ("anger", 2.0, "A", "Line 01")


@pytest.mark.parametrize("fps", [24.0, 25.0, 30 / 1.001, 30.0, 60.0])
def test_take_lasts_as_long_as_the_strip_at_any_frame_rate(scene, head, model_folder, speech_wav, fps):
    set_frame_rate(scene, fps)
    new_wordless_strip(scene, "Line 01", str(speech_wav), channel=1, frame_start=101)
    bpy.ops.emote.generate(model=str(model_folder))
    start, end = first_and_last_frame(head)
    assert start == 101
    assert (end - start + 1) / fps == pytest.approx(1.0, abs=1 / fps)


@pytest.mark.parametrize("fps", [24.0, 25.0, 30 / 1.001, 30.0, 60.0])
def test_take_lasts_to_the_last_frame_of_the_strip(scene, settings, head, tmp_path, speech_samples, fps):
    """At 24 fps a strip on frames 1 to 93 lasted 96.9 frames of motion, of which the last was dropped."""
    import soundfile

    set_frame_rate(scene, fps)
    soundfile.write(tmp_path / "long.wav", np.tile(speech_samples, 5), 16000)
    new_wordless_strip(scene, "Line 01", str(tmp_path / "long.wav"), channel=1, frame_start=1).frame_final_end = 94
    assert bpy.ops.emote.generate() == {"FINISHED"}
    assert first_and_last_frame(head) == (1, 93)


def test_result_and_error_of_an_earlier_sitting_are_not_shown_again(scene, tmp_path):
    scene.emote.last_result = "line.wav is empty; choose another"
    scene.emote.intensity = 0.5
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert scene.emote.last_result
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert (bpy.context.scene.emote.last_result, bpy.context.scene.emote.intensity) == ("", 0.5)


def test_trimmed_strip_gives_the_motion_of_what_is_heard(scene, settings, head, model_folder, tmp_path, speech_samples):
    import soundfile

    silence = np.zeros(16000, np.float32)
    soundfile.write(tmp_path / "late.wav", np.concatenate([silence, speech_samples]), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "alone.wav", speech_samples, 16000, subtype="FLOAT")
    late = new_wordless_strip(scene, "Late", str(tmp_path / "late.wav"), channel=1, frame_start=1)
    trimmed = late.split(frame=26, split_method="SOFT")
    bpy.ops.emote.generate(strip=trimmed.name)
    from_strip = kept_raw(newest(head).action).emotional
    assert first_and_last_frame(head)[0] == 26
    bpy.ops.emote.generate(transcript="none", audio=str(tmp_path / "alone.wav"))
    from_file = kept_raw(newest(head).action).emotional
    np.testing.assert_allclose(from_strip.expression, from_file.expression, atol=1e-5)
    np.testing.assert_allclose(from_strip.jaw, from_file.jaw, atol=1e-5)


def test_file_begins_at_its_start_frame(settings, head, speech_wav):
    bpy.ops.emote.generate(
        transcript="none", audio=str(speech_wav), frame_start=50, head="Head", emotion="HAPPY", speaker="B"
    )
    assert first_and_last_frame(head)[0] == 50
    assert newest(head).action.name == "speech · Happy 1.00"


def test_arguments_left_out_come_from_the_scene(settings, head, speech_wav):
    settings.source, settings.audio, settings.frame_start = "FILE", str(speech_wav), 7
    settings.emotion, settings.intensity, settings.speaker = "SAD", 0.5, "C"
    bpy.ops.emote.generate()
    meta = kept_raw(newest(head).action).emotional.meta
    assert (meta["emotion"], meta["intensity"], meta["speaker"]) == ("sad", 0.5, "C")
    assert first_and_last_frame(head)[0] == 7
    # Labels show the amount, as the panel's slider does: 0.825 is intensity 0.5.
    assert settings.last_result == "speech · Sad 0.82: 1.0 s from frame 7"


def test_emotion_changes_the_take(settings, strip, head):
    bpy.ops.emote.generate(emotion="HAPPY")
    happy = kept_raw(newest(head).action).emotional
    bpy.ops.emote.generate(emotion="SAD")
    sad = kept_raw(newest(head).action).emotional
    assert np.abs(happy.expression - sad.expression).max() > 1e-4
    assert {"Line 01 · Happy 1.00", "Line 01 · Sad 1.00"} <= {action.name for action in bpy.data.actions}


def test_same_request_twice_gives_the_same_motion(settings, strip, head):
    motions = []
    for _ in range(2):
        bpy.ops.emote.generate(emotion="FEAR")
        motions.append(kept_raw(newest(head).action).emotional.expression)
    np.testing.assert_array_equal(motions[0], motions[1])


def test_stereo_and_packed_sound(scene, settings, head, tmp_path, speech_samples):
    import soundfile

    soundfile.write(tmp_path / "stereo.wav", np.stack([speech_samples, speech_samples], axis=1), 16000)
    strip = new_wordless_strip(scene, "Stereo", str(tmp_path / "stereo.wav"), channel=1, frame_start=1)
    strip.sound.pack()
    (tmp_path / "stereo.wav").unlink()
    assert bpy.ops.emote.generate(strip="Stereo") == {"FINISHED"}


def test_each_scene_has_its_own_strips_choices_and_frame_rate(settings, strip, head, model_folder, speech_wav):
    other = bpy.data.scenes.new("Other")
    other.render.fps, other.render.fps_base = 60, 1.0
    other.collection.objects.link(head)
    other.collection.objects.link(head.parent)
    new_wordless_strip(other, "Elsewhere", str(speech_wav), channel=1, frame_start=301)
    bpy.context.window.scene = other
    with pytest.raises(RuntimeError, match="'Line 01' not found in scene 'Other'; choose one of 'Elsewhere'"):
        bpy.ops.emote.generate(strip="Line 01", model=str(model_folder))
    bpy.ops.emote.generate(model=str(model_folder))
    assert first_and_last_frame(head) == (301, 360)


def test_take_is_made_for_the_scene_it_was_asked_in_even_if_another_is_shown_at_its_end(
    scene, settings, strip, head, model_folder
):
    request = generation.prepare(scene, choices(scene, head, model_folder))
    motion = generation.compute(request)
    other = bpy.data.scenes.new("Other")
    other.render.fps = 60
    bpy.context.window.scene = other
    take, frame_start = generation.finish(request, motion)
    assert (frame_start, take.frame_start, take.fps, first_and_last_frame(head)) == (11, 11, 25, (11, 35))


def test_head_that_was_deleted_meanwhile_is_named(scene, settings, strip, head, model_folder):
    request = generation.prepare(scene, choices(scene, head, model_folder))
    motion = generation.compute(request)
    bpy.data.objects.remove(head)
    with pytest.raises(InputError, match="head 'Head' was deleted while"):
        generation.finish(request, motion)
    assert not bpy.data.actions


def test_head_that_was_renamed_meanwhile_still_gets_its_take(scene, settings, strip, head, model_folder):
    request = generation.prepare(scene, choices(scene, head, model_folder))
    head.name = "Alice"
    take, _ = generation.finish(request, generation.compute(request))
    assert newest(head) == take


def test_strip_that_was_deleted_meanwhile_is_named(scene, settings, strip, head, model_folder):
    request = generation.prepare(scene, choices(scene, head, model_folder))
    motion = generation.compute(request)
    scene.sequence_editor.strips.remove(strip)
    with pytest.raises(InputError, match="strip was deleted or changed while"):
        generation.finish(request, motion)
    assert not bpy.data.actions


def test_strip_that_was_moved_meanwhile_keeps_its_motion_with_its_sound(scene, settings, strip, head, model_folder):
    request = generation.prepare(scene, choices(scene, head, model_folder))
    motion = generation.compute(request)
    if hasattr(strip, "content_start"):
        strip.content_start += 40
    else:
        strip.frame_start += 40
    assert generation.finish(request, motion)[1] == 51


def test_strip_that_was_trimmed_meanwhile_is_refused(scene, settings, strip, head, model_folder):
    request = generation.prepare(scene, choices(scene, head, model_folder))
    motion = generation.compute(request)
    strip.split(frame=20, split_method="SOFT")
    with pytest.raises(InputError, match="was trimmed or changed"):
        generation.finish(request, motion)


def test_cancelled_request_leaves_nothing(scene, settings, strip, head, model_folder):
    request = generation.prepare(scene, choices(scene, head, model_folder))
    with pytest.raises(Cancelled):
        generation.compute(request, cancelled=lambda: True)
    assert not bpy.data.actions


def test_progress_rises_from_nothing_to_all(scene, settings, strip, head, model_folder):
    request = generation.prepare(scene, choices(scene, head, model_folder))
    fractions = []
    generation.compute(request, progress=lambda fraction, text: fractions.append(fraction))
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert fractions == sorted(fractions)


def test_worker_thread_gives_the_same_as_the_main_thread(scene, settings, strip, head, model_folder):
    request = generation.prepare(scene, choices(scene, head, model_folder))
    job = worker.Job("take", lambda progress, cancelled: generation.compute(request, progress, cancelled))
    job.start()
    on_thread = job.result()
    job.release()
    np.testing.assert_array_equal(
        on_thread.raw.emotional.expression, generation.compute(request).raw.emotional.expression
    )


def test_invoke_in_background_does_the_whole_job(settings, strip, head):
    assert bpy.ops.emote.generate("INVOKE_DEFAULT") == {"FINISHED"}
    assert newest(head).action.name == "Line 01 · Neutral"


@pytest.fixture
def press_generate(monkeypatch):
    """A function that runs `script(operator, context)` inside Generate, in place of what Blender's window does."""
    from emote_blender.blender.operators.generate import EMOTE_OT_generate

    def press(script):
        monkeypatch.setattr(EMOTE_OT_generate, "execute", script)
        return bpy.ops.emote.generate()

    yield press
    worker.stop_all()


def test_button_makes_the_take_on_its_thread(settings, strip, head, press_generate):
    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert worker.running().title == "The take 'Line 01 · Neutral'"
        assert operator._job.join(30)
        return operator.modal(context, SimpleNamespace(type="TIMER", value="NOTHING"))

    assert press_generate(script) == {"FINISHED"}
    assert newest(head).action.name == "Line 01 · Neutral"


def test_button_can_be_pressed_again_right_after_escape(settings, strip, head, press_generate):
    def script(operator, context):
        operator.start_job(operator.prepare(context))
        operator.modal(context, SimpleNamespace(type="ESC", value="PRESS"))
        assert operator.modal(context, SimpleNamespace(type="TIMER", value="NOTHING")) == {"CANCELLED"}
        assert settings.last_result == "Cancelled; nothing was changed"
        operator.start_job(operator.prepare(context))
        assert operator._job.join(30)
        return operator.modal(context, SimpleNamespace(type="TIMER", value="NOTHING"))

    assert press_generate(script) == {"FINISHED"}
    assert [take.name for take in head.emote.takes] == ["Line 01 · Neutral"]


def test_one_undo_takes_a_take_away(settings, strip, head):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.emote.generate("EXEC_DEFAULT", True)
    assert bpy.data.actions
    bpy.ops.ed.undo()
    assert not bpy.data.actions


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"intensity": 3.0}, "intensity 3 is outside 0 to 2"),
        ({"intensity": -0.5}, "intensity -0.5 is outside 0 to 2"),
        ({"speaker": "Nobody"}, "unknown speaker 'Nobody'; .* A, B, C"),
        ({"model": "no_such_model"}, "model 'no_such_model' not found"),
        ({"head": "Nobody"}, "object 'Nobody' not found; choose one of 'Head'"),
        ({"strip": "Line 99"}, "'Line 99' not found in scene"),
        ({"audio": "//nowhere.wav"}, "save the .blend first"),
        ({"audio": "/nowhere/line.wav"}, "line.wav not found"),
    ],
)
def test_wrong_argument_is_refused_with_a_sentence(settings, strip, head, arguments, sentence):
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.emote.generate(**arguments)
    assert not bpy.data.actions


def test_unknown_emotion_is_refused_with_the_list(settings, strip):
    with pytest.raises(TypeError, match="'NEUTRAL', 'HAPPY', .* 'CONTEMPT'"):
        bpy.ops.emote.generate(emotion="JOY")


@pytest.mark.parametrize("content", [b"", b"no sound", bytes(3000)])
def test_bad_sound_file_is_refused_and_nothing_changes(settings, head, tmp_path, content):
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(RuntimeError, match="bad.wav"):
        bpy.ops.emote.generate(audio=str(tmp_path / "bad.wav"))
    assert not bpy.data.actions
    assert settings.last_result.startswith(str(tmp_path / "bad.wav"))


def test_strip_of_20_ms_is_refused(scene, settings, head, tmp_path):
    import soundfile

    soundfile.write(tmp_path / "click.wav", np.full(320, 0.1, np.float32), 16000)
    with pytest.raises(RuntimeError, match="less than one frame"):
        bpy.ops.emote.generate(audio=str(tmp_path / "click.wav"))


def test_silence_gives_a_face_at_rest_without_an_error(settings, head, tmp_path):
    import soundfile

    soundfile.write(tmp_path / "silence.wav", np.zeros(16000, np.float32), 16000)
    assert bpy.ops.emote.generate(audio=str(tmp_path / "silence.wav")) == {"FINISHED"}
    assert np.isfinite(kept_raw(newest(head).action).emotional.expression).all()


def test_model_of_another_face_is_refused_before_it_runs(scene, strip, make_face, model_folder):
    head = add_head(bpy.context, make_face(named=False, basis="flame2020"))
    with pytest.raises(ModelError, match="tiny_face .* flame2020"):
        generation.prepare(scene, choices(scene, head, model_folder))


def test_broken_model_folder_is_refused(scene, settings, strip, head, model_folder, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(model_folder, broken)
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(RuntimeError, match="model.safetensors"):
        bpy.ops.emote.generate(model=str(broken))
    (broken / "config.json").write_text("{}")
    with pytest.raises(RuntimeError, match="config.json"):
        bpy.ops.emote.generate(model=str(broken))
    assert not bpy.data.actions


def test_file_is_asked_for_when_none_is_chosen(settings, head):
    settings.source = "FILE"
    with pytest.raises(RuntimeError, match="no sound file is chosen"):
        bpy.ops.emote.generate()


@pytest.mark.parametrize("weights_time", [1002, 900])
def test_changed_model_is_loaded_anew(scene, settings, strip, head, make_tiny_folder, tmp_path, weights_time):
    import os

    folder = tmp_path / "changing"
    motions = []
    for seed in (1, 2):
        make_tiny_folder(folder, seed=seed, num_expression=6)
        for file in folder.iterdir():
            os.utime(file, (1001, 1001))
        if seed == 2:  # also one that is older than what it replaces, as copied files are
            os.utime(folder / "model.safetensors", (weights_time, weights_time))
        motions.append(
            generation.compute(generation.prepare(scene, choices(scene, head, folder))).raw.emotional.expression
        )
    assert np.abs(motions[0] - motions[1]).max() > 1e-4


def test_model_that_is_gone_when_the_work_begins_is_named(scene, settings, strip, head, model_folder, tmp_path):
    import shutil

    folder = shutil.copytree(model_folder, tmp_path / "passing")
    request = generation.prepare(scene, choices(scene, head, folder))
    shutil.rmtree(folder)
    with pytest.raises(ModelError, match="passing"):
        generation.compute(request)


def test_result_is_told_in_the_scene_that_asked_even_if_another_is_shown_at_its_end(
    scene, settings, strip, head, press_generate
):
    other = bpy.data.scenes.new("Other")

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert operator._job.join(30)
        context.window.scene = other
        return operator.modal(context, SimpleNamespace(type="TIMER", value="NOTHING"))

    assert press_generate(script) == {"FINISHED"}
    assert scene.emote.last_result.startswith("Line 01 · Neutral: 1.0 s")
    assert other.emote.last_result == ""


def test_all_selected_strips_are_spoken_one_after_the_other(scene, settings, head, speech_wav, requests_of):
    for number, start in enumerate((11, 101, 201)):
        strip = new_wordless_strip(scene, f"Line {number}", str(speech_wav), channel=1, frame_start=start)
        strip.select = number != 1
    steps = []
    requests = requests_of(strips="SELECTED")
    generation.compute_all(requests, lambda fraction, text: steps.append((fraction, text)), lambda: False)
    assert [fraction for fraction, _ in steps] == sorted(fraction for fraction, _ in steps)
    assert any(text.startswith("Line 2: ") for _, text in steps)
    assert bpy.ops.emote.generate(strips="SELECTED") == {"FINISHED"}
    assert {"Line 0 · Neutral", "Line 2 · Neutral"} <= {action.name for action in bpy.data.actions}
    assert "Line 1 · Neutral" not in bpy.data.actions
    assert settings.last_result.startswith("2 of 2 strips were spoken")


@pytest.fixture
def requests_of(monkeypatch):
    """A function that gives the requests of Generate with these arguments, without running it."""
    from emote_blender.blender.operators.generate import EMOTE_OT_generate

    def requests_of(**arguments):
        found = []

        def prepare_only(self, context):
            found.extend(self.prepare(context))
            return {"FINISHED"}

        with monkeypatch.context() as patch:
            patch.setattr(EMOTE_OT_generate, "run_now", prepare_only)
            bpy.ops.emote.generate(**arguments)
        return found

    return requests_of


def test_without_a_selected_strip_all_selected_strips_is_refused(settings, strip):
    strip.select = False
    with pytest.raises(RuntimeError, match="no sound strip of scene 'Scene' is selected"):
        bpy.ops.emote.generate(strips="SELECTED")


def test_a_muted_strip_is_spoken_with_a_warning(settings, strip, capfd):
    strip.mute = True
    assert bpy.ops.emote.generate() == {"FINISHED"}
    assert "the strip 'Line 01' is muted: the face speaks, but nothing is heard" in capfd.readouterr().out


def test_a_result_is_shown_for_the_head_that_it_is_about(scene, settings, head, speech_wav):
    second = bpy.data.objects.new("Second", bpy.data.meshes.new("Second"))
    assert bpy.ops.emote.generate(transcript="none", audio=str(speech_wav), head=head.name) == {"FINISHED"}
    assert result_about(scene, head) == settings.last_result
    assert result_about(scene, second) == ""
    with pytest.raises(RuntimeError):
        bpy.ops.emote.generate(transcript="none", audio=str(speech_wav), head="nobody")
    assert result_about(scene, second) == settings.last_result


def test_a_line_that_has_to_give_way_is_named(scene, settings, head, speech_wav, capfd):
    for name, channel in (("First", 1), ("Second", 2)):
        new_wordless_strip(scene, name, str(speech_wav), channel=channel, frame_start=11)
        assert bpy.ops.emote.generate(strip=name) == {"FINISHED"}
    assert [(take.line, take.in_use) for take in head.emote.takes] == [("First", False), ("Second", True)]
    printed = "".join(capfd.readouterr())
    assert "'Second · Neutral' plays instead of 'First': a head speaks one line at a time" in printed


def test_selected_strips_that_cannot_be_spoken_leave_the_others_their_takes(
    scene, settings, strip, head, tmp_path, speech_wav, capfd
):
    for number, name in enumerate(["Gone", "Lost"]):
        shutil.copy(speech_wav, tmp_path / f"{name}.wav")
        other = new_wordless_strip(scene, name, str(tmp_path / f"{name}.wav"), channel=2, frame_start=100 + 50 * number)
        other.select = True
    (tmp_path / "Gone.wav").unlink()
    bpy.data.sounds.remove(other.sound)
    assert bpy.ops.emote.generate(strips="SELECTED") == {"FINISHED"}
    assert [take.line for take in head.emote.takes] == ["Line 01"]
    assert settings.last_result.startswith("1 of 3 strips were spoken")
    printed = capfd.readouterr().out
    assert "Warning: strip 'Lost' has lost its sound" in printed
    assert f"{tmp_path / 'Gone.wav'} not found" in printed
    strip.select = False
    with pytest.raises(RuntimeError, match=r"Gone\.wav not found"):
        bpy.ops.emote.generate(strips="SELECTED")


@pytest.mark.parametrize(
    "arguments", [{}, {"strip": "Shot"}, {"strips": "SELECTED"}], ids=["only", "named", "selected"]
)
def test_the_lines_inside_a_scene_strip_are_spoken_where_this_timeline_plays_them(
    scene, settings, head, speech_wav, arguments
):
    shown = bpy.data.scenes.new("Dialogue")
    shown.render.fps, shown.frame_end = 25, 300
    for name, start in (("Ann", 11), ("Ben", 101)):
        new_wordless_strip(shown, name, str(speech_wav), channel=1, frame_start=start)
    shot = scene.sequence_editor_create().strips.new_scene(name="Shot", scene=shown, channel=1, frame_start=51)
    shot.scene_input = "SEQUENCER"
    shot.select = True
    assert bpy.ops.emote.generate(**arguments) == {"FINISHED"}
    takes = [(take.line, take.frame_start, take.scene) for take in head.emote.takes]
    assert takes == [("Ann", 61.0, scene), ("Ben", 151.0, scene)]
    assert settings.last_result.startswith("2 of 2 strips were spoken")
