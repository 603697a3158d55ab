"""What the panel says when its button is grey, and what the add-on leaves behind when it is disabled."""

import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import bpy
import pytest

import emote_blender
from emote_blender.blender import bundle, requirements
from emote_blender.blender.compat import new_sound_strip
from emote_blender.blender.head.build import add_head
from emote_blender.blender.register import CLASSES
from emote_blender.blender.settings import model_info
from emote_blender.blender.ui.panel_state import panel_state
from emote_blender.blender.ui.paragraph import paragraph_lines
from emote_blender.files.paths import find_model

ROOT = Path(emote_blender.__file__).parent.parent


@pytest.fixture(autouse=True)
def _complete_installation(monkeypatch):
    """These tests are about the scene, and pass where torch is not installed."""
    requirements.missing_libraries.cache_clear()
    monkeypatch.setattr(requirements, "_LIBRARIES", ())
    yield
    requirements.missing_libraries.cache_clear()


def why_not(context):
    """Why the panel's button is grey, once Blender has evaluated the scene."""
    context.view_layer.update()
    return panel_state(context).why_not


def cautions(context):
    """What the panel warns of, once Blender has evaluated the scene."""
    context.view_layer.update()
    return list(panel_state(context).cautions)


def test_empty_scene_asks_for_a_head():
    assert why_not(bpy.context) == (
        "There is no head yet: select your character and press Use Selected Character, or press Add Head"
    )


def test_head_alone_asks_for_a_sound_strip(head):
    assert why_not(bpy.context) == "The sequencer has no sound strip: add one there, or choose File"


def test_two_heads_ask_for_a_choice(face, scene):
    add_head(bpy.context, face), add_head(bpy.context, face)
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = None
    assert why_not(bpy.context) == "Select the head that speaks"


def test_head_and_strip_are_enough(scene, head, ramp_wav):
    new_sound_strip(scene, "Line 01", str(ramp_wav()), channel=1, frame_start=1)
    assert why_not(bpy.context) == ""


def test_strip_that_is_gone_is_named(scene, head, ramp_wav):
    new_sound_strip(scene, "Line 01", str(ramp_wav()), channel=1, frame_start=1)
    scene.emote.strip = "Line 02"
    assert why_not(bpy.context) == "The sound strip 'Line 02' is gone: choose another"


def test_two_strips_ask_for_a_choice(scene, head, ramp_wav):
    for number in (1, 2):
        new_sound_strip(scene, f"Line {number}", str(ramp_wav()), channel=number, frame_start=1)
    scene.sequence_editor.active_strip = None
    assert why_not(bpy.context) == "Choose a sound strip"


def test_file_source_asks_for_a_file(scene, head):
    scene.emote.source = "FILE"
    assert why_not(bpy.context) == "Choose a sound file"


def test_sound_that_will_not_be_heard_is_said(scene, head, ramp_wav):
    strip = new_sound_strip(scene, "Line 01", str(ramp_wav()), channel=1, frame_start=1)
    assert panel_state(bpy.context).remarks == ()
    strip.mute = True
    bpy.context.view_layer.update()
    expected = "The strip 'Line 01' is muted: the face speaks, but nothing is heard"
    assert panel_state(bpy.context).remarks == (expected,)
    head.emote.source, head.emote.audio = "FILE", str(ramp_wav())
    expected = "A sound file is not heard in playback: press Add as Strip"
    assert panel_state(bpy.context).remarks == (expected,)


def test_open_model_and_head_need_no_caution():
    bpy.ops.emote.add_head()
    assert cautions(bpy.context) == []


@pytest.mark.parametrize("licence", ["CC-BY-NC-4.0", "FLAME 2023 licence (non-commercial)"])
def test_a_non_commercial_head_is_said_before_generating(make_face, licence):
    add_head(bpy.context, replace(make_face(), licence=licence))
    assert cautions(bpy.context)[0] == "The head 'Head' is for non-commercial use only"


def test_a_head_that_the_model_does_not_fit_is_said_before_generating(scene, make_face):
    add_head(bpy.context, make_face())
    assert "the model moves 50 expression components, but the head (tiny_face, 6) has no" in cautions(bpy.context)[0]


def test_a_non_commercial_model_is_said_without_a_head(scene, make_tiny_folder, tmp_path):
    scene.emote.model = str(make_tiny_folder(tmp_path / "theirs", licence="non-commercial research only"))
    assert cautions(bpy.context) == ["The model is for non-commercial use only"]


def test_another_version_of_flame_is_said_before_generating(scene, make_face, make_tiny_folder, tmp_path):
    add_head(bpy.context, make_face(named=False, basis="flame2023"))
    scene.emote.model = str(make_tiny_folder(tmp_path / "theirs", face="flame2020", expression_names=None))
    assert len(cautions(bpy.context)) == 1
    assert "flame2020, but the head is flame2023: their coefficients do not mix" in cautions(bpy.context)[0]


def test_missing_library_is_named_and_the_button_is_grey(monkeypatch, scene, head):
    monkeypatch.setattr(requirements, "_LIBRARIES", ("no_such_library",))
    requirements.missing_libraries.cache_clear()
    assert "no_such_library not installed" in why_not(bpy.context)
    with pytest.raises(RuntimeError, match="no_such_library not installed"):
        bpy.ops.emote.generate()


def test_a_problem_of_the_bundle_is_said_before_all_else(monkeypatch, scene, head):
    monkeypatch.setattr(bundle, "_state", bundle.BundleState("This zip of EMOTE is for another system: install that"))
    assert why_not(bpy.context) == "This zip of EMOTE is for another system: install that"
    with pytest.raises(RuntimeError, match="for another system"):
        bpy.ops.emote.generate()


def test_a_library_of_another_extension_is_a_caution(monkeypatch, scene, head):
    monkeypatch.setattr(bundle, "_state", bundle.BundleState("", ("onnxruntime 9 of the extension 'A' is in use",)))
    assert cautions(bpy.context)[0] == "onnxruntime 9 of the extension 'A' is in use"


def test_motion_files_need_no_library(monkeypatch, head, make_motion, tmp_path):
    monkeypatch.setattr(requirements, "_LIBRARIES", ("no_such_library",))
    requirements.missing_libraries.cache_clear()
    make_motion().save(tmp_path / "line.npz")
    assert bpy.ops.emote.apply_motion(filepath=str(tmp_path / "line.npz")) == {"FINISHED"}


def test_model_that_is_not_there_is_told(scene):
    assert "not found" in model_info.model_info("no_such_model").problem


@pytest.fixture
def blend_folder(tmp_path):
    """The folder of a saved .blend, with a speech model beside it."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    shutil.copytree(find_model("emote_open"), tmp_path / "my_model", ignore=shutil.ignore_patterns("*.safetensors"))
    return tmp_path


def test_model_beside_the_blend_is_found_by_the_panel_as_by_generate(blend_folder):
    from emote_blender.blender.jobs import generation

    bpy.context.scene.emote.model = "//my_model"
    assert model_info.model_info("//my_model").problem == ""
    assert generation.find_model_folder("//my_model") == blend_folder / "my_model"


def test_model_beside_the_blend_is_another_one_in_another_blend(blend_folder, tmp_path):
    assert model_info.model_info("//my_model").problem == ""
    (tmp_path / "elsewhere").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "elsewhere" / "scene.blend"))
    missing = tmp_path / "elsewhere" / "my_model" / "config.json"
    assert f"{missing} not found" in model_info.model_info("//my_model").problem


@pytest.fixture
def preferences():
    """The add-on's preferences, as they are where it was enabled from Blender's own list."""
    addon = bpy.context.preferences.addons.new()
    addon.module = "emote_blender"
    yield addon.preferences
    addon.preferences.models_folder = ""
    bpy.context.preferences.addons.remove(addon)


@pytest.mark.filterwarnings("ignore:.*does not support blend relative")
def test_models_folder_beside_a_blend_stays_where_it_was_chosen(blend_folder, preferences):
    preferences.models_folder = "//"
    assert Path(preferences.models_folder) == blend_folder
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert "my_model" in model_info.model_names()


def test_a_models_folder_may_be_pasted(preferences, tmp_path):
    (tmp_path / "my models").mkdir()
    preferences.models_folder = f"'{tmp_path}/my models/' "
    assert Path(preferences.models_folder) == tmp_path / "my models"
    preferences.models_folder = (tmp_path / "my models").as_uri()
    assert Path(preferences.models_folder) == tmp_path / "my models"


def test_path_beside_a_blend_that_was_never_saved_is_refused(scene, head):
    assert "save the .blend first" in model_info.model_info("//my_model").problem
    with pytest.raises(RuntimeError, match="save the .blend first"):
        bpy.ops.emote.apply_motion(filepath="//line.npz")
    with pytest.raises(RuntimeError, match="save the .blend first"):
        bpy.ops.emote.add_head(head="//my_head")


def test_model_that_was_copied_to_its_place_is_seen_after_generate(scene, head, ramp_wav, tmp_path):
    scene.emote.model = str(tmp_path / "late")
    assert "not found" in model_info.model_info(scene.emote.model).problem
    shutil.copytree(find_model("emote_open"), tmp_path / "late", ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(RuntimeError):
        bpy.ops.emote.generate(audio=str(ramp_wav()))
    assert model_info.model_info(scene.emote.model).problem == ""


def test_strips_are_offered_by_name(scene, ramp_wav):
    from emote_blender.blender.settings.sound_settings import _strip_names

    for number in (1, 2):
        new_sound_strip(scene, f"Line {number}", str(ramp_wav()), channel=number, frame_start=1)
    assert _strip_names(scene.emote, bpy.context, "line") == ["Line 1", "Line 2"]
    assert _strip_names(scene.emote, bpy.context, "2") == ["Line 2"]


def test_lines_beside_an_icon_leave_room_for_it():
    sentence = "Face open_head, licence CC0-1.0"
    assert paragraph_lines(sentence, "NONE", len(sentence)) == [sentence]
    assert paragraph_lines(sentence, "INFO", len(sentence)) == ["Face open_head, licence", "CC0-1.0"]


def test_every_setting_has_a_tooltip():
    for owner in (bpy.types.Scene.bl_rna.properties["emote"].fixed_type, bpy.ops.emote.generate.get_rna_type()):
        for prop in owner.properties:
            if prop.identifier not in ("rna_type", "name"):
                assert prop.description, prop.identifier


def test_every_operator_and_panel_says_what_it_is_for():
    assert all(cls.__doc__ for cls in CLASSES)


def test_disabling_leaves_nothing_behind():
    before = set(dir(bpy.types)), set(dir(bpy.ops.emote))
    emote_blender.unregister()
    try:
        assert not hasattr(bpy.types.Scene, "emote")
        assert not [name for name in dir(bpy.types) if name.startswith("EMOTE_")]
        handlers = [each for name in dir(bpy.app.handlers) if isinstance(each := getattr(bpy.app.handlers, name), list)]
        assert not [each for each in sum(handlers, []) if each.__module__.startswith("emote_blender")]
    finally:
        emote_blender.register()
    assert (set(dir(bpy.types)), set(dir(bpy.ops.emote))) == before


def run_in_blender(script):
    """The finished process of a script that runs in a bpy of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_enabling_imports_neither_torch_nor_transformers_nor_scipy():
    result = run_in_blender(
        """
        import sys
        for name in ("torch", "transformers", "scipy", "soundfile", "av", "safetensors"):
            sys.modules[name] = None
        import bpy, emote_blender
        emote_blender.register()
        assert bpy.ops.emote.add_head() == {"FINISHED"}
        emote_blender.unregister()
        """
    )
    assert result.returncode == 0, result.stderr


def test_add_on_works_under_an_extensions_package_name(tmp_path):
    """An installed extension is called bl_ext.<repository>.emote_blender."""
    package = tmp_path / "bl_ext" / "user_default"
    package.mkdir(parents=True)
    (package / "emote_blender").symlink_to(ROOT / "emote_blender")
    result = run_in_blender(
        f"""
        import sys
        sys.path = [path for path in sys.path if path not in ("", {str(ROOT)!r})]
        sys.path.insert(0, {str(tmp_path)!r})
        import importlib, types, bpy
        for name in ("bl_ext", "bl_ext.user_default"):
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__path__ = [{str(tmp_path)!r} + "/" + name.replace(".", "/")]
        addon = importlib.import_module("bl_ext.user_default.emote_blender")
        addon.register()
        assert bpy.ops.emote.add_head() == {{"FINISHED"}}
        assert "emote_blender" not in sys.modules
        addon.unregister()
        """
    )
    assert result.returncode == 0, result.stderr


def test_python_ends_well_with_the_add_on_enabled():
    result = run_in_blender("import bpy, emote_blender; emote_blender.register(); bpy.ops.emote.add_head()")
    assert result.returncode == 0, result.stderr
