"""Which motions a head can show, as they are or converted, and where the geometry for it is found."""

from dataclasses import replace

import numpy as np
import pytest
from flame_with_mouth import make_flame_with_mouth
from spoken_motions import flame_motion, open_motion

from emote_blender.errors import InputError, ModelError
from emote_blender.files.paths import add_search_folder, remove_search_folder
from emote_blender.motion_tools.raw_take import RawTake
from emote_blender.retarget.conversion import (
    check_can_show,
    conversion_notice,
    head_folder_of,
    known_shape,
    needs_conversion,
    raw_for_head,
)
from emote_blender.retarget.face_shape import shape_of_model

pytestmark = pytest.mark.once  # on 5.2, tests/blender/takes/test_transfer converts motions


@pytest.fixture(scope="module")
def flame():
    return make_flame_with_mouth()


@pytest.fixture
def flame_folder(flame, tmp_path):
    """A folder of heads, in which the user's converted FLAME file lies."""
    flame.save(tmp_path / "my_flame")
    add_search_folder(tmp_path)
    yield tmp_path / "my_flame"
    remove_search_folder(tmp_path)


def check(face, num_expression, names, head):
    check_can_show("model m", face, num_expression, names, head)


def test_the_open_basis_is_converted_for_flame(open_head, flame):
    assert needs_conversion("open_head", 50, open_head.expression_names, flame)
    check("open_head", 50, open_head.expression_names, flame)


@pytest.mark.parametrize("basis", ["flame2020", "flame2023", "flame"])
def test_any_flame_head_can_show_the_open_basis(open_head, flame, basis):
    check("open_head", 50, open_head.expression_names, replace(flame, basis=basis))


def test_what_fits_is_not_converted(open_head, flame):
    assert not needs_conversion("open_head", 50, open_head.expression_names, open_head)
    assert not needs_conversion("flame2020", 100, None, flame)
    assert not needs_conversion("flame2023", 100, None, flame), "versions of FLAME are not converted into each other"


def test_flame_on_the_open_head_needs_a_converted_flame_file(open_head):
    with pytest.raises(ModelError, match=r"model m speaks for the face flame2020 .* make a head of the flame2020 file"):
        check("flame2020", 100, None, open_head)


def test_flame_on_the_open_head_is_converted_where_its_head_is(open_head, flame_folder):
    check("flame2020", 100, None, open_head)
    assert head_folder_of("flame2020") == flame_folder


def test_another_version_of_flame_does_not_serve(open_head, flame_folder):
    with pytest.raises(ModelError, match="make a head of the flame2023 file"):
        check("flame2023", 100, None, open_head)


def test_other_names_are_refused(flame):
    with pytest.raises(ModelError, match="speaks for the face somebody"):
        check("somebody", 2, ("smile", "frown"), flame)


def test_a_head_of_another_basis_is_refused(open_head, flame):
    with pytest.raises(ModelError, match="but the head is other"):
        check("open_head", 50, open_head.expression_names, replace(flame, basis="other"))


def test_a_damaged_head_among_the_folders_does_no_harm(open_head, flame_folder):
    damaged = flame_folder.parent / "a_damaged_one"
    damaged.mkdir()
    (damaged / "head.json").write_text("[")
    check("flame2020", 100, None, open_head)


def test_the_neutral_rendering_is_converted_too_though_it_has_no_names(open_head, flame):
    motion, neutral = open_motion(open_head), open_motion(open_head, seed=9)
    raw = RawTake.from_bytes(RawTake(motion, neutral).to_bytes())
    assert "expression_names" not in raw.neutral.meta
    converted = raw_for_head(raw, flame, lambda: shape_of_model(flame))
    alone = raw_for_head(RawTake(neutral), flame, lambda: shape_of_model(flame)).emotional
    assert converted.neutral.num_expression == converted.emotional.num_expression == 100
    np.testing.assert_allclose(converted.neutral.expression, alone.expression, atol=0.05)


def test_a_motion_that_fits_is_given_back_as_it_is(open_head):
    raw = RawTake(open_motion(open_head))
    assert raw_for_head(raw, open_head, lambda: pytest.fail("no geometry is needed")) is raw


def test_flame_on_the_open_head_takes_the_geometry_of_the_folder(open_head, flame, flame_folder):
    converted = raw_for_head(RawTake(flame_motion(flame)), open_head, lambda: shape_of_model(open_head)).emotional
    assert converted.meta["expression_names"] == list(open_head.expression_names)
    assert converted.meta["transfer"]["from"] == "flame2020"


def test_a_motion_that_names_too_few_components_is_refused(open_head, flame):
    motion = open_motion(open_head)
    motion.meta["expression_names"] = motion.meta["expression_names"][:-1]
    with pytest.raises(InputError, match="names 49 expression components but holds 50"):
        raw_for_head(RawTake(motion), flame, lambda: shape_of_model(flame))


def test_the_geometry_of_a_basis_with_another_number_of_components_is_not_taken(flame_folder):
    assert known_shape("flame2020", 100) is not None
    assert known_shape("flame2020", 50) is None
    assert known_shape("nobody", 50) is None


def test_a_notice_says_that_a_motion_is_converted(open_head, flame):
    assert "converted to the head's basis (flame2020)" in conversion_notice(
        "the model m", "open_head", open_head.expression_names, flame
    )
    assert conversion_notice("the model m", "open_head", open_head.expression_names, open_head) == ""
