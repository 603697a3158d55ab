"""Sound strips as waveforms: the audible part, wherever it is cut, moved or stored.

The sound is a ramp: its value is the time in the file, divided by ten. What a strip gives is compared with what the
formula of spec/BLENDER.md says is heard, and with Blender's own mixdown of the sequencer.
"""

import bpy
import pytest

from emote_blender.blender.compat import new_sound_strip, strip_timing
from emote_blender.blender.scene.placed_strip import on_own_timeline, sound_strips
from emote_blender.blender.scene.scene_file import set_frame_rate
from emote_blender.blender.scene.strips import find_strip, read_strip
from emote_blender.errors import InputError

RATES = [24.0, 25.0, 30 / 1.001, 30.0, 60.0]


def add_strip(scene, path, frame_start=1, name="Line 01"):
    """A sound strip in the scene's sequencer."""
    return new_sound_strip(scene, name, str(path), channel=1, frame_start=frame_start)


def trim(strip, front=0, back=0):
    """Cuts frames off the front and the back of a strip, as dragging its handles does."""
    if hasattr(strip, "left_handle"):
        strip.left_handle += front
        strip.right_handle -= back
    else:
        strip.frame_offset_start += front
        strip.frame_offset_end += back


def heard_seconds(sound):
    """Times in the file that are heard at the start and at the end of a strip, read off the ramp."""
    waveform = sound.decode()
    return 10 * float(waveform.samples[0]), 10 * float(waveform.samples[-1])


@pytest.mark.parametrize("fps", RATES)
def test_whole_strip_is_the_whole_file(scene, ramp_wav, fps):
    set_frame_rate(scene, fps)
    sound = read_strip(on_own_timeline(add_strip(scene, ramp_wav(), frame_start=11)))
    assert sound.frame_start == 11
    start, _ = heard_seconds(sound)
    assert start == pytest.approx(0.0, abs=1e-4)
    assert sound.duration_seconds == pytest.approx(4.0, abs=1 / fps)


@pytest.mark.parametrize("fps", RATES)
def test_trimmed_strip_starts_where_it_is_heard(scene, ramp_wav, fps):
    set_frame_rate(scene, fps)
    strip = add_strip(scene, ramp_wav(), frame_start=101)
    trim(strip, front=30, back=7)
    sound = read_strip(on_own_timeline(strip))
    start, end = heard_seconds(sound)
    assert sound.frame_start == 131
    assert start == pytest.approx(30 / fps, abs=1e-3)
    timing = strip_timing(strip)
    assert end == pytest.approx((timing.right - 101) / fps, abs=1e-3)


@pytest.mark.parametrize("fps", RATES)
def test_both_halves_of_a_split_strip_lie_right(scene, ramp_wav, fps):
    set_frame_rate(scene, fps)
    strip = add_strip(scene, ramp_wav(), frame_start=5)
    right = strip.split(frame=45, split_method="SOFT")
    first, second = read_strip(on_own_timeline(strip)), read_strip(on_own_timeline(right))
    assert (first.frame_start, second.frame_start) == (5, 45)
    assert heard_seconds(first)[1] == pytest.approx(40 / fps, abs=1e-3)
    assert heard_seconds(second)[0] == pytest.approx(40 / fps, abs=1e-3)


def test_hard_cut_keeps_the_time_in_the_file(scene, ramp_wav):
    strip = add_strip(scene, ramp_wav(), frame_start=1)
    right = strip.split(frame=51, split_method="HARD")
    sound = read_strip(on_own_timeline(right))
    assert sound.frame_start == 51
    assert heard_seconds(sound)[0] == pytest.approx(2.0, abs=1e-3)


def test_moved_strip_keeps_what_is_heard(scene, ramp_wav):
    strip = add_strip(scene, ramp_wav(), frame_start=1)
    trim(strip, front=25)
    if hasattr(strip, "content_start"):
        strip.content_start += 200
    else:
        strip.frame_start += 200
    sound = read_strip(on_own_timeline(strip))
    assert sound.frame_start == 226
    assert heard_seconds(sound)[0] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("before, after", [(24.0, 30.0), (30.0, 24.0), (25.0, 60.0), (25.0, 30 / 1.001)])
def test_strip_equals_the_mixdown_after_a_change_of_the_frame_rate(scene, ramp_wav, tmp_path, before, after):
    set_frame_rate(scene, before)
    strip = add_strip(scene, ramp_wav(), frame_start=10)
    trim(strip, front=23)
    set_frame_rate(scene, after)
    sound = read_strip(on_own_timeline(strip))
    start, _ = heard_seconds(sound)
    scene.frame_start = sound.frame_start
    scene.frame_end = sound.frame_start + 30
    mixed = tmp_path / "mixed.wav"
    bpy.ops.sound.mixdown(filepath=str(mixed), container="WAV", codec="PCM", format="F32", mixrate=48000)
    import soundfile

    samples, rate = soundfile.read(mixed)
    heard = samples[:, 0] if samples.ndim > 1 else samples
    quarter = rate // 4
    # The mixdown may change the level (pan law), not the slope's place: the ramp's zero crossing tells the time.
    slope = (heard[2 * quarter] - heard[quarter]) / (quarter / rate)
    assert start == pytest.approx(heard[quarter] / slope - 0.25, abs=0.02)


@pytest.mark.parametrize("sample_rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
def test_any_sample_rate_gives_the_same_times(scene, ramp_wav, sample_rate):
    strip = add_strip(scene, ramp_wav(sample_rate=sample_rate))
    trim(strip, front=25)
    sound = read_strip(on_own_timeline(strip))
    assert sound.decode().sample_rate == sample_rate
    assert heard_seconds(sound)[0] == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_averaged(scene, ramp_wav, channels):
    strip = add_strip(scene, ramp_wav(channels=channels))
    assert heard_seconds(read_strip(on_own_timeline(strip)))[1] == pytest.approx(4.0, abs=1e-2)


def test_packed_sound_needs_no_file(scene, ramp_wav):
    path = ramp_wav()
    strip = add_strip(scene, path)
    trim(strip, front=50)
    strip.sound.pack()
    path.unlink()
    assert heard_seconds(read_strip(on_own_timeline(strip)))[0] == pytest.approx(2.0, abs=1e-3)


def test_path_with_spaces_and_letters_of_other_languages(scene, ramp_wav):
    strip = add_strip(scene, ramp_wav("Töne und Ähnliches/Zeile № 1 — 声.wav"))
    assert heard_seconds(read_strip(on_own_timeline(strip)))[1] == pytest.approx(4.0, abs=1e-2)


def test_path_relative_to_the_blend_file(scene, ramp_wav, tmp_path):
    add_strip(scene, ramp_wav())
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.file.make_paths_relative()
    scene = bpy.context.scene
    strip = find_strip(scene).strip
    assert strip.sound.filepath.startswith("//")
    assert heard_seconds(read_strip(on_own_timeline(strip)))[1] == pytest.approx(4.0, abs=1e-2)


def test_meta_strip_cuts_the_strip_inside(scene, ramp_wav):
    strip = add_strip(scene, ramp_wav(), frame_start=1)
    meta = make_meta(strip)
    trim(meta, front=25, back=10)
    sound = read_strip(on_own_timeline(strip))
    timing = strip_timing(meta)
    assert sound.frame_start == timing.left
    assert sound.frame_start / 25 == pytest.approx(heard_seconds(sound)[0] + 1 / 25, abs=1e-3)
    assert sound.duration_seconds == pytest.approx((timing.right - timing.left) / 25)


def test_strips_inside_meta_strips_are_found(scene, ramp_wav):
    make_meta(add_strip(scene, ramp_wav()))
    assert [found.name for found in sound_strips(scene)] == ["Line 01"]


def in_sequencer(operator, **arguments):
    """Calls an operator that works only in a window that shows the sequencer."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    region = next(region for region in area.regions if region.type == "WINDOW")
    if hasattr(bpy.context.workspace, "sequencer_scene"):
        bpy.context.workspace.sequencer_scene = bpy.context.scene
    with bpy.context.temp_override(window=window, area=area, region=region):
        operator(**arguments)


def make_meta(strip):
    """The meta strip that a strip is put into."""
    strip.select = True
    in_sequencer(bpy.ops.sequencer.meta_make)
    return strip.parent_meta()


def test_missing_file_is_named(scene, ramp_wav):
    path = ramp_wav()
    strip = add_strip(scene, path)
    path.unlink()
    with pytest.raises(InputError, match="ramp.wav not found"):
        read_strip(on_own_timeline(strip)).decode()


def test_only_strip_needs_no_name(scene, ramp_wav):
    strip = add_strip(scene, ramp_wav())
    scene.sequence_editor.active_strip = None
    assert find_strip(scene).strip == strip


def test_unknown_strip_is_refused_with_the_names_that_there_are(scene, ramp_wav):
    add_strip(scene, ramp_wav(), name="Line 01")
    add_strip(scene, ramp_wav("b.wav"), frame_start=200, name="Line 02")
    scene.sequence_editor.active_strip = None
    with pytest.raises(InputError, match="'Line 03' not found .* 'Line 01', 'Line 02'"):
        find_strip(scene, "Line 03")
    with pytest.raises(InputError, match="no sound strip is chosen; choose one of 'Line 01', 'Line 02'"):
        find_strip(scene)


def test_scene_without_sound_is_refused(scene):
    with pytest.raises(InputError, match="has no sound strip"):
        find_strip(scene)


def test_strip_of_another_kind_is_refused(scene):
    scene.sequence_editor_create().strips.new_effect(
        name="Colour", type="COLOR", channel=1, frame_start=1, **_effect_length(50)
    )
    with pytest.raises(InputError, match="'Colour' .* is not a sound strip"):
        find_strip(scene, "Colour")


def _effect_length(frames):
    """The argument that gives a new effect strip its length; 5.0 renamed it."""
    return {"frame_end": 1 + frames} if bpy.app.version < (5, 0, 0) else {"length": frames}
