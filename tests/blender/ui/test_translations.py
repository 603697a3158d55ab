"""The interface in other languages: every translated text is one of the interface, and is translated everywhere."""

import ast
import string
from pathlib import Path

import bpy
import pytest

import emote_blender
from emote_blender.blender.register import CLASSES
from emote_blender.blender.settings.registration import SETTINGS
from emote_blender.blender.ui.translation_table import LOCALES, TABLE

pytestmark = pytest.mark.ends

FOLDER = Path(emote_blender.__file__).parent / "blender"


@pytest.fixture(scope="module")
def interface():
    """Every text that the Blender half can show: those in its source, and those that Blender knows of its classes."""
    texts = set()
    for path in FOLDER.rglob("*.py"):
        if path.name == "translation_table.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    for cls in (*CLASSES, *SETTINGS):
        texts.update((cls.__doc__ or "", getattr(cls, "bl_label", "")))
        for prop in cls.bl_rna.properties:
            texts.update((prop.name, prop.description))
            if prop.type == "ENUM":
                texts.update(item.name for item in prop.enum_items)
    return texts


def test_every_translated_text_is_still_in_the_interface(interface):
    assert {row[0] for row in TABLE} - interface == set()


def test_no_text_is_translated_twice():
    texts = [row[0] for row in TABLE]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("number", range(1, len(LOCALES) + 1), ids=LOCALES)
def test_every_text_has_a_translation_in_the_languages_own_letters(number):
    kept_in_latin = set(string.ascii_letters)
    for row in TABLE:
        assert set(row[number]) - kept_in_latin - set(" ,.:/()…"), row


def test_the_labels_of_all_panels_are_translated():
    labels = {cls.bl_label for cls in CLASSES if issubclass(cls, bpy.types.Panel)} - {"EMOTE"}
    assert labels <= {row[0] for row in TABLE}


@pytest.mark.skipif(not bpy.app.build_options.international, reason="this Blender is built without translations")
def test_blender_shows_them_while_the_add_on_is_enabled():
    view = bpy.context.preferences.view
    view.language, view.use_translate_interface = "ko_KR", True
    try:
        assert bpy.app.translations.pgettext_iface("Generate Speech Animation", "Operator") == "음성 애니메이션 생성"
    finally:
        view.language = "en_US"
