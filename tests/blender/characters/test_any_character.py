"""One spoken line on characters of every kind: the lips close on its p, b and m, and open as far as the open head's.

Gaps are those in the middle of the mouth of the evaluated meshes, in mm on a head of the open head's size, against
those of the open head's own arrays in the same motion. At rest the open head's lips overlap by 0.3 mm.
"""

import bpy
import numpy as np
import pytest
from character_lips import MIDDLE, closed, spoken
from character_rigs import ORIGIN, arkit_character, linked_character, vrm_character
from character_shapes import open_head_model
from flame_with_mouth import kept_vertices, make_flame_with_mouth
from measured_lips import lip_gap_mm, open_head_gaps_mm

from emote_blender.blender.head.build import add_head, load_face_model
from emote_blender.blender.takes.make import apply_motion

pytestmark = pytest.mark.ends

WIDEST_CLOSED_MM, DEEPEST_MM = 1.0, -2.0


def own_head(path):
    """The head that ships, without the subdivision that rounds its lips."""
    head = add_head(bpy.context, load_face_model("open_head"))
    head.modifiers["Subdivision"].show_viewport = False
    return numbered(head, np.arange(len(head.data.vertices)))


def flame_head(path):
    """A look-alike of FLAME: another person, whose components have no names."""
    return numbered(add_head(bpy.context, make_flame_with_mouth(), "Flame"), kept_vertices(open_head_model()))


def numbered(head, numbers):
    """The head, whose vertices know theirs on the open head."""
    head.data.attributes.new(ORIGIN, "INT", "POINT").data.foreach_set("value", numbers.astype(np.int32))
    return head


def set_up(character):
    """The face of a character that the add-on has set up by itself."""
    assert bpy.ops.emote.set_up_character(object=character.mesh.name) == {"FINISHED"}
    return character.mesh


def arkit_with_odd_jaw(path):
    """ARKit names with a prefix; the jaw a bone that points anywhere, under a rotated and scaled armature."""
    return set_up(arkit_character(prefix="head.ARKit_", jaw="bone", placement="tilted", odd_bones=True))


def vrm(path):
    """Five vowels and a blink."""
    return set_up(vrm_character())


def linked_and_overridden(path):
    """The ARKit character of another file, with library overrides."""
    return set_up(linked_character(path / "hero.blend", arkit_character(), override=True, override_data=True))


@pytest.mark.parametrize("make", [own_head, flame_head, arkit_with_odd_jaw, vrm, linked_and_overridden])
def test_a_spoken_line_closes_and_opens_the_mouth_of(make, tmp_path):
    motion = spoken()
    expected, is_closed = open_head_gaps_mm(motion.expression, motion.jaw)[:, MIDDLE], closed(motion)
    assert is_closed.sum() > 20
    head = make(tmp_path)
    scene = bpy.context.scene
    scene.render.fps = round(motion.fps)
    apply_motion(head, motion, scene)
    found = np.array([lip_gap_mm(head, 1 + frame) for frame in range(motion.num_frames)])
    assert found[is_closed].max() <= WIDEST_CLOSED_MM
    assert found[is_closed].min() >= DEEPEST_MM
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert np.ptp(found) == pytest.approx(np.ptp(expected), rel=0.25)
