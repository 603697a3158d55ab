"""What silences a strip is named, wherever it is; a volume that is only 0 now and then is no reason."""

import pytest

from emote_blender.blender.compat import new_sound_strip
from emote_blender.blender.scene.placed_strip import on_own_timeline
from emote_blender.blender.scene.unheard import why_unheard


@pytest.fixture
def strip(scene, ramp_wav):
    """A strip of four seconds on channel 2 of a meta strip on channel 3."""
    scene.sequence_editor_create()
    meta = scene.sequence_editor.strips.new_meta(name="Scene 7", channel=3, frame_start=1)
    strip = new_sound_strip(scene, "Line 01", str(ramp_wav()), channel=2, frame_start=1)
    strip.move_to_meta(meta)
    return strip


def animate(scene, strip, *keys):
    for frame, volume in keys:
        strip.volume = volume
        strip.keyframe_insert("volume", frame=frame)


SILENCERS = {
    "the strip 'Line 01' is muted": lambda scene, strip: setattr(strip, "mute", True),
    "of the strip 'Line 01' is muted": lambda scene, strip: setattr(
        strip.parent_meta().channels[strip.channel], "mute", True
    ),
    "the meta strip 'Scene 7' around 'Line 01' is muted": lambda scene, strip: setattr(
        strip.parent_meta(), "mute", True
    ),
    "of the meta strip 'Scene 7' around 'Line 01' is muted": lambda scene, strip: setattr(
        scene.sequence_editor.channels[3], "mute", True
    ),
    "the volume of the strip 'Line 01' is 0": lambda scene, strip: setattr(strip, "volume", 0.0),
    "the volume of the strip 'Line 01' is animated to 0": lambda scene, strip: animate(
        scene, strip, (1, 0.0), (100, 0.0), (101, 1.0)
    ),
    "the sound of the scene 'Scene' is off": lambda scene, strip: setattr(scene, "use_audio", False),
    "the volume of the scene 'Scene' is 0": lambda scene, strip: setattr(scene, "audio_volume", 0.0),
}


@pytest.mark.parametrize("clause", SILENCERS)
def test_what_silences_a_strip_is_named(scene, strip, clause):
    assert why_unheard(on_own_timeline(strip)) == ""
    SILENCERS[clause](scene, strip)
    sentence = why_unheard(on_own_timeline(strip))
    assert clause in sentence
    assert sentence.endswith(": the face speaks, but nothing is heard")


def test_a_strip_that_fades_in_is_heard(scene, strip):
    animate(scene, strip, (1, 0.0), (20, 1.0))
    scene.frame_set(1)
    assert strip.volume == 0.0
    assert why_unheard(on_own_timeline(strip)) == ""
