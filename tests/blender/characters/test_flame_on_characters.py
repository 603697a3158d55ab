"""A motion of FLAME's on a character: converted to the open basis, in which characters take their motions."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="these tests run in Blender's Python module")

from character_rigs import arkit_character
from filled import fill
from flame_with_mouth import make_flame_with_mouth
from measured_lips import lip_gap_mm
from spoken_motions import flame_motion

from emote_blender.blender.takes.make import apply_motion
from emote_blender.blender.takes.store import kept_raw
from emote_blender.errors import ModelError
from emote_blender.files.paths import add_search_folder, remove_search_folder
from emote_blender.flame.refinement_maps import maps_of_model

FRAMES = 36


@pytest.fixture(scope="module")
def flame():
    return make_flame_with_mouth()


def source_gaps(model, motion) -> np.ndarray:
    """(T,) opening of the middle of the look-alike's mouth, mm."""
    lips = maps_of_model(model).lips
    number = np.linalg.norm(model.v_template[:, None] - lips.points, axis=2).argmin(0)
    posed = model.vertices(motion.expression, motion.jaw)
    upper, lower = number[: lips.num_upper], number[lips.num_upper :]
    return 1000 * (posed[:, upper, 1].min(1) - posed[:, lower, 1].max(1))


def test_the_mouth_of_a_character_follows_a_flame_motion(scene, flame, tmp_path):
    scene.render.fps = 25
    flame.save(tmp_path / "my_flame")
    character = arkit_character()
    fill(character)
    motion = flame_motion(flame, FRAMES)
    add_search_folder(tmp_path)
    try:
        apply_motion(character.mesh, motion, scene)
    finally:
        remove_search_folder(tmp_path)
    assert kept_raw(character.mesh.emote.takes[0].action).emotional.meta["face"] == "open_head"
    source = source_gaps(flame, motion)
    found = np.array([lip_gap_mm(character.mesh, frame) for frame in range(1, FRAMES + 1)])
    assert np.corrcoef(source, found)[0, 1] > 0.9
    assert np.ptp(found) > 0.5 * np.ptp(source)


def test_without_the_flame_head_a_character_refuses_it(scene, flame):
    character = arkit_character()
    fill(character)
    with pytest.raises(ModelError, match="make a head of the flame2020 file first"):
        apply_motion(character.mesh, flame_motion(flame, FRAMES), scene)
