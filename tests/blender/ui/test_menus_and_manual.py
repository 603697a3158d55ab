"""Where the add-on is found: Blender's menus, its search, its manual."""

import fnmatch
from pathlib import Path

import bpy
import pytest

import emote_blender
from emote_blender.blender.register import CLASSES
from emote_blender.blender.ui import manual_map, menus
from emote_blender.blender.ui.menus import EMOTE_MT_speech

OPERATORS = sorted(
    cls.bl_idname for cls in CLASSES if issubclass(cls, bpy.types.Operator) and cls.bl_idname.startswith("emote.")
)


MANUAL = Path(emote_blender.__file__).parents[1] / "docs" / "manual"


def page_of(operator: str) -> str:
    """The page that Blender opens for an operator: that of the first pattern that fits."""
    _, pages = manual_map.manual_map()
    return next(page for pattern, page in pages if fnmatch.fnmatchcase(f"bpy.ops.{operator}", pattern))


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_has_its_place_in_the_manual(operator):
    page, _, anchor = page_of(operator).partition("#")
    assert f'<a id="{anchor}"></a>' in (MANUAL / page).read_text(encoding="utf-8")


def test_blender_finds_the_page_of_an_operator():
    prefix: str = next(iter(bpy.utils.manual_map()))[0]
    find = bpy.types.WM_OT_doc_view_manual._lookup_rna_url
    assert find("bpy.ops.emote.take_transcript", verbose=False) == f"{prefix}transcript.md#emote-take_transcript"
    assert find("bpy.ops.emote.add_moment", verbose=False) == f"{prefix}emotion-over-time.md#emote-add_moment"
    assert find("bpy.ops.object.delete", verbose=False).startswith("https://docs.blender.org")


def test_the_manual_is_on_the_website_that_the_manifest_names(monkeypatch):
    monkeypatch.setattr(manual_map, "read_manifest", lambda path: {"website": "https://example.org/emote/"})
    assert manual_map.manual_map()[0] == "https://example.org/emote/docs/manual/"


def test_without_a_website_the_manual_that_came_along_is_opened(monkeypatch, tmp_path):
    (tmp_path / "manual").mkdir()
    monkeypatch.setattr(manual_map, "read_manifest", lambda path: {})
    monkeypatch.setattr(manual_map, "_FOLDERS", (tmp_path / "manual", tmp_path / "docs"))
    assert manual_map.manual_map()[0] == f"{(tmp_path / 'manual').as_uri()}/"


def test_the_menu_is_in_blenders_menus_until_the_add_on_is_disabled():
    def drawn_by(menu):
        return [function.__module__ for function in getattr(bpy.types, menu).draw._draw_funcs]

    for menu in ("VIEW3D_MT_object_animation", "SEQUENCER_MT_strip"):
        assert "emote_blender.blender.ui.menus" in drawn_by(menu)
    emote_blender.unregister()
    try:
        for menu in ("VIEW3D_MT_object_animation", "SEQUENCER_MT_strip"):
            assert "emote_blender.blender.ui.menus" not in drawn_by(menu)
        assert manual_map.manual_map not in bpy.utils._manual_map
    finally:
        emote_blender.register()


def test_searching_for_speech_or_emote_finds_the_menu():
    """F3 searches the path of each entry: the labels of the menus in which it lies, and its own."""
    assert {"emote", "speech"} <= set(EMOTE_MT_speech.bl_label.lower().split())


def test_every_operator_has_a_label_that_says_what_it_does():
    labels = {
        operator: bpy.types.Operator.bl_rna_get_subclass_py(cls_name(operator)).bl_label for operator in OPERATORS
    }
    assert [operator for operator, label in labels.items() if not label or label != label.strip()] == []
    assert len(set(labels.values())) == len(labels), "two operators of the same name"


def cls_name(operator: str) -> str:
    group, name = operator.split(".")
    return f"{group.upper()}_OT_{name}"


def test_the_add_on_comes_and_goes_where_the_pose_library_is_off():
    # Blender disables its own add-ons before ours when it quits.
    bpy.ops.preferences.addon_disable(module="pose_library")
    try:
        assert not hasattr(bpy.types, "ASSETBROWSER_MT_asset")  # the test would prove nothing otherwise
        menus.remove_from_menus()
        menus.add_to_menus()
    finally:
        bpy.ops.preferences.addon_enable(module="pose_library")
    menus.remove_from_menus()
    menus.add_to_menus()
