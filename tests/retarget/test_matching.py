from dataclasses import replace

import pytest

from emote_blender.errors import ModelError
from emote_blender.files.paths import find_head
from emote_blender.flame.model import FaceModel
from emote_blender.retarget.compatibility import check_fits_head, version_warning


@pytest.fixture(scope="module")
def open_head() -> FaceModel:
    return FaceModel.load(find_head("open_head"))


@pytest.fixture(scope="module")
def unnamed_head(open_head) -> FaceModel:
    """A head of FLAME's kind: the components have no names."""
    return replace(open_head, basis="flame2020", expression_names=None)


def test_the_heads_own_names_fit(open_head):
    check_fits_head("model m", "open_head", 50, open_head.expression_names, open_head)


def test_some_of_the_heads_names_fit(open_head):
    check_fits_head("model m", "open_head", 2, open_head.expression_names[10:12], open_head)


def test_a_name_that_the_head_lacks_is_named(open_head):
    with pytest.raises(ModelError, match=r"model m moves 2 .* head \(open_head, 50\) has no mouthSmell"):
        check_fits_head("model m", "open_head", 2, ("mouthPucker", "mouthSmell"), open_head)


def test_a_long_list_of_missing_names_is_cut(open_head):
    with pytest.raises(ModelError, match=r"c0, c1, c2, c3, c4 and 95 more"):
        check_fits_head("model m", "open_head", 100, tuple(f"c{index}" for index in range(100)), open_head)


@pytest.mark.parametrize("num_expression", [1, 50])
def test_unnamed_components_of_the_same_basis_fit_up_to_the_heads_number(unnamed_head, num_expression):
    check_fits_head("model m", "flame2020", num_expression, None, unnamed_head)


def test_more_unnamed_components_than_the_head_has_do_not_fit(unnamed_head):
    with pytest.raises(ModelError, match="moves 100 expression components, but the head has 50"):
        check_fits_head("model m", "flame2020", 100, None, unnamed_head)


def test_unnamed_components_of_another_basis_do_not_fit(unnamed_head):
    with pytest.raises(ModelError, match="speaks for the face other .* but the head is flame2020"):
        check_fits_head("model m", "other", 50, None, unnamed_head)


@pytest.mark.parametrize("face", ["flame2023", "flame"])
def test_another_version_of_flame_fits(unnamed_head, face):
    check_fits_head("model m", face, 50, None, unnamed_head)


def test_another_version_of_flame_gives_a_warning(unnamed_head):
    sentence = version_warning("model m", "flame2023", unnamed_head)
    assert "model m speaks for flame2023, but the head is flame2020: their coefficients do not mix" in sentence


@pytest.mark.parametrize("face, basis", [("flame2020", "flame"), ("flame", "flame2020")])
def test_a_flame_of_unknown_version_gives_a_warning_that_names_the_known_one(unnamed_head, face, basis):
    sentence = version_warning("model m", face, replace(unnamed_head, basis=basis))
    assert "only one says which version (flame2020)" in sentence


@pytest.mark.parametrize("face", ["flame2020", "open_head"])
def test_the_same_version_and_other_bases_give_no_warning(unnamed_head, open_head, face):
    assert version_warning("model m", face, replace(unnamed_head, basis=face)) == ""
    assert version_warning("model m", "flame2020", open_head) == ""


def test_unnamed_components_do_not_fit_a_head_with_names(open_head):
    with pytest.raises(ModelError, match="speaks for the face flame2020 .* but the head is open_head"):
        check_fits_head("model m", "flame2020", 50, None, open_head)
