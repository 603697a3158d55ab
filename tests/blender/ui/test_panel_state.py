"""The panel works nothing out while it is drawn, and yet shows the scene as it is."""

import sys
from typing import Any

import bpy
import pytest

from emote_blender.blender.compat import new_sound_strip
from emote_blender.blender.head.build import add_head
from emote_blender.blender.settings import model_info
from emote_blender.blender.ui.panel_state import panel_state, work_out_state
from emote_blender.blender.ui.panels import MENUS_AND_LISTS, PANELS


class Layout:
    """Stands in for Blender's UILayout, which no background Blender gives out: takes what a panel draws.

    It is as strict as Blender's own: properties, operators, menus and lists must exist.
    """

    def __init__(self, drawn=None):
        self.drawn = [] if drawn is None else drawn

    def column(self, align=False):
        return Layout(self.drawn)

    row = box = column

    def split(self, factor=0.5, align=False):
        return Layout(self.drawn)

    def separator(self):
        pass

    def prop(self, owner, name, text=None, icon="NONE", placeholder="", slider=False, emboss=True):
        assert name in owner.bl_rna.properties
        self.drawn.append((name, text or placeholder or None))

    def template_icon(self, icon_value, scale=1.0):
        pass

    def operator(self, name, text=None, icon="NONE", translate=True, depress=False, emboss=True):
        group, verb = name.split(".")
        known = getattr(getattr(bpy.ops, group), verb).get_rna_type()
        assert icon in ICONS, icon
        self.drawn.append((name, text))
        return Button(known)

    def operator_menu_enum(self, name, prop, text="", icon="NONE"):
        group, verb = name.split(".")
        assert prop in getattr(getattr(bpy.ops, group), verb).get_rna_type().properties
        assert icon in ICONS, icon
        self.drawn.append((name, text))

    def menu(self, name, text="", icon="NONE", translate=True):
        assert hasattr(bpy.types, name)
        assert icon in ICONS, icon
        self.drawn.append((name, text))

    def template_list(self, name, list_id, owner, collection, active_owner, active, rows=5):
        assert hasattr(bpy.types, name)
        assert collection in owner.bl_rna.properties
        assert active in active_owner.bl_rna.properties
        self.drawn.append((name, None))

    def label(self, text="", icon="NONE", translate=True):
        assert icon in ICONS, icon
        self.drawn.append(("label", text))

    def progress(self, factor, text):
        self.drawn.append(("progress", text))


ICONS = set(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())


class Button:
    """The arguments of a drawn button: only those that its operator has."""

    def __init__(self, known):
        object.__setattr__(self, "known", known)

    def __setattr__(self, name, value):
        assert name in self.known.properties, name


class Panel:
    """Stands in for a panel that Blender draws: the panel's own functions on a layout that is given."""

    def __init__(self, cls):
        self._cls = cls
        self.layout = Layout()

    def __getattr__(self, name):
        found = getattr(self._cls, name)
        if isinstance(found, property):
            return found.fget(self)
        return found.__get__(self)


def drawn(cls, context=None):
    """What a panel or a menu draws: names of properties and operators, and texts; nothing if it is not shown."""
    context = context or bpy.context
    if hasattr(cls, "poll") and not cls.poll(context):
        return []
    panel = Panel(cls)
    cls.draw(panel, context)
    return panel.layout.drawn


def drawn_panels():
    """What all panels of the 3D viewport's sidebar draw."""
    return [item for cls in PANELS if cls.bl_space_type == "VIEW_3D" for item in drawn(cls)]


def calls(function):
    """Names of all functions that are called, Python's and C's."""
    names = []

    def profile(frame, event, argument):
        if event == "call":
            names.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}")
        elif event == "c_call":
            names.append(f"{argument.__module__}.{argument.__name__}")

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return names


@pytest.fixture
def full_scene(scene, face, ramp_wav):
    """A head, a strip with words, and many objects beside."""
    head = add_head(bpy.context, face)
    new_sound_strip(scene, "Line 01", str(ramp_wav()), channel=1, frame_start=1).emote.transcript = "some words"
    return head


def clutter(scene, number):
    """Adds objects and strips that have nothing to do with speech."""
    mesh = bpy.data.meshes.new("clutter")
    for index in range(number):
        scene.collection.objects.link(bpy.data.objects.new(f"clutter {index}", mesh))
    length = {"length": 5} if bpy.app.version >= (5, 0, 0) else {"frame_end": 5}
    for index in range(number // 20):
        scene.sequence_editor.strips.new_effect(f"colour {index}", "COLOR", 3 + index, 1, **length)


@pytest.mark.parametrize("cls", PANELS)
def test_a_redraw_calls_nothing_that_reads_searches_or_sorts(full_scene, cls):
    drawn(cls)
    called = calls(lambda: drawn(cls))
    forbidden = (
        "json.",
        "re.",
        "textwrap.",
        "os.",
        "posix.",
        "pathlib.",
        "builtins.sorted",
        "emote_blender.retarget.compatibility.",
    )
    assert [name for name in called if name.startswith(forbidden)] == []
    working = ("head_rig.", "sound_strips.", "model_info._", "flame_keys.", "animate.", "panel_state.work_out_state")
    assert [name for name in called if any(word in name for word in working)] == []


def test_a_redraw_costs_the_same_in_a_scene_of_many_objects(scene, full_scene):
    drawn_panels()
    few = calls(lambda: drawn_panels())
    clutter(scene, 500)
    bpy.context.view_layer.update()
    drawn_panels()
    assert calls(lambda: drawn_panels()) == few


def test_the_buttons_ask_for_heads_once_per_change(scene, ramp_wav):
    new_sound_strip(scene, "Line 01", str(ramp_wav()), channel=1, frame_start=1)
    clutter(scene, 500)
    bpy.context.view_layer.update()
    bpy.ops.emote.apply_motion.poll()
    assert len(calls(bpy.ops.emote.apply_motion.poll)) < 50


def test_the_panel_shows_what_was_worked_out(scene, full_scene):
    shown = drawn_panels()
    assert ("EMOTE_MT_heads", "Head") in shown
    assert ("EMOTE_MT_strips", "Line 01") in shown
    assert ("transcript", "Words (recognised if left empty)") in shown
    assert ("emote.transcribe", "") in shown
    assert any("has no eyeBlinkLeft" in (text or "") for _, text in shown)
    assert [item for item in shown if item[0] == "value"] == [("value", "identity0"), ("value", "identity1")]


def test_every_identity_slider_is_shown_in_words(scene):
    bpy.ops.emote.add_head()
    bpy.context.view_layer.update()
    names = [text for name, text in drawn_panels() if name == "value"]
    assert len(names) == 12
    assert names[:3] == ["Face Width", "Jaw Width", "Chin Length"]


def test_amount_is_off_for_neutral_and_on_for_an_emotion(scene, full_scene):
    enabled = []

    class Noting(Layout):
        enabled = True

        def column(self, align=False):
            part = Noting(self.drawn)
            part.enabled = self.enabled  # a part of what is off is off
            return part

        row = box = column

        def prop(self, owner, name, text=None, icon="NONE", placeholder="", slider=False, emboss=True):
            super().prop(owner, name, text)
            if name == "amount":
                enabled.append(self.enabled)

    for emotion in ("NEUTRAL", "ANGER"):
        full_scene.emote.emotion = emotion
        (cls,) = (cls for cls in PANELS if cls.__name__ == "EMOTE_PT_emotion_view3d")
        panel: Any = Panel(cls)
        panel.layout = Noting()
        cls.draw(panel, bpy.context)
    assert enabled == [False, True]


@pytest.mark.parametrize("cls", [cls for cls in MENUS_AND_LISTS if issubclass(cls, bpy.types.Menu)])
def test_every_menu_can_be_drawn(scene, full_scene, monkeypatch, cls):
    monkeypatch.setattr(bpy.types.Menu, "draw_preset", lambda self, context: None)
    assert drawn(cls)


def test_each_panel_lies_in_one_of_its_own_sidebar():
    names = {cls.__name__: cls.bl_space_type for cls in PANELS}
    parents = [(cls.bl_space_type, names[cls.bl_parent_id]) for cls in PANELS if hasattr(cls, "bl_parent_id")]
    assert [own for own, parents_ in parents if own != parents_] == []
    assert [cls.__name__ for cls in PANELS if not hasattr(cls, "bl_parent_id")] == [
        "EMOTE_PT_view3d",
        "EMOTE_PT_sequencer",
    ]


def rename_head(scene, head):
    head.name = "Alice"


def remove_head(scene, head):
    bpy.data.objects.remove(head)


def add_another_head(scene, head):
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = None
    copy = head.copy()
    scene.collection.objects.link(copy)


def unlink_head(scene, head):
    scene.collection.objects.unlink(head)


def lose_a_shape_key(scene, head):
    head.shape_key_remove(head.data.shape_keys.key_blocks["component3"])


def rename_an_identity_key(scene, head):
    head.data.shape_keys.key_blocks["identity1"].name = "chin"


def rename_the_jaw(scene, head):
    head.parent.data.bones["jaw"].name = "mandible"


def lose_the_armature(scene, head):
    head.modifiers.remove(head.modifiers["Armature"])
    head.parent = None


def rename_the_strip(scene, head):
    scene.sequence_editor.strips_all["Line 01"].name = "Line 02"


def remove_the_strip(scene, head):
    scene.sequence_editor.strips.remove(scene.sequence_editor.strips_all["Line 01"])


def add_a_strip(scene, head):
    path = scene.sequence_editor.strips_all["Line 01"].sound.filepath
    new_sound_strip(scene, "Line 02", path, channel=3, frame_start=1)


def leave_no_strip_active(scene, head):
    add_a_strip(scene, head)
    bpy.context.view_layer.update()
    panel_state(bpy.context)
    scene.sequence_editor.active_strip = None


def choose_a_strip_that_is_gone(scene, head):
    head.emote.strip = "Line 99"


def choose_a_file(scene, head):
    head.emote.source = "FILE"


def choose_another_model(scene, head):
    head.emote.model = "no_such_model"


def forget_the_words(scene, head):
    scene.sequence_editor.strips_all["Line 01"].emote.transcript = ""


def look_at_another_scene(scene, head):
    other = bpy.data.scenes.new("Other")
    copy = head.copy()
    other.collection.objects.link(copy)
    bpy.context.window.scene = other


def mute_the_strip(scene, head):
    scene.sequence_editor.strips_all["Line 01"].mute = True


def mute_the_channel(scene, head):
    scene.sequence_editor.channels[1].mute = True


def select_another_head(scene, head):
    copy = head.copy()
    scene.collection.objects.link(copy)
    bpy.context.view_layer.objects.active = copy


def pin_another_head(scene, head):
    copy = head.copy()
    scene.collection.objects.link(copy)
    scene.emote.head = copy


CHANGES = [
    mute_the_strip,
    mute_the_channel,
    select_another_head,
    pin_another_head,
    rename_head,
    remove_head,
    add_another_head,
    unlink_head,
    lose_a_shape_key,
    rename_an_identity_key,
    rename_the_jaw,
    lose_the_armature,
    rename_the_strip,
    remove_the_strip,
    add_a_strip,
    leave_no_strip_active,
    choose_a_strip_that_is_gone,
    choose_a_file,
    choose_another_model,
    forget_the_words,
    look_at_another_scene,
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_shown_follows_a_change(scene, full_scene, make_tiny_config, tmp_path, change):
    from emote_blender.speech_model.config import save_config

    save_config(make_tiny_config(audio="wav2vec2"), tmp_path)  # a model that cannot use the words
    scene.emote.model = str(tmp_path)
    bpy.context.view_layer.update()
    before = panel_state(bpy.context)
    change(scene, full_scene)
    bpy.context.view_layer.update()
    now = panel_state(bpy.context)
    assert now == work_out_state(bpy.context)
    assert now != before


def test_what_is_shown_follows_undo_and_another_file(scene, full_scene, tmp_path):
    bpy.ops.ed.undo_push(message="before")
    shown = panel_state(bpy.context)
    bpy.data.objects.remove(full_scene)
    bpy.ops.ed.undo_push(message="after")
    bpy.context.view_layer.update()
    assert panel_state(bpy.context) != shown
    bpy.ops.ed.undo()
    assert panel_state(bpy.context) == shown
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert panel_state(bpy.context).head == ""


def test_what_is_shown_follows_a_model_that_is_looked_for_again(scene, tmp_path, make_tiny_config):
    from emote_blender.speech_model.config import save_config

    scene.emote.model = str(tmp_path)
    assert "not found" in panel_state(bpy.context).model.problem
    save_config(make_tiny_config(), tmp_path)
    model_info.refresh()
    assert panel_state(bpy.context).model.problem == ""


def test_a_playing_animation_and_a_dragged_bone_change_nothing(scene, full_scene):
    bpy.context.view_layer.update()
    shown = panel_state(bpy.context)
    scene.frame_set(10)
    full_scene.parent.pose.bones["jaw"].rotation_euler.x = 0.2
    full_scene.parent.location.x = 2.0
    bpy.context.view_layer.update()
    assert panel_state(bpy.context) is shown
