"""The table of a dialogue: strips find their heads, and all lines are spoken in one go."""

import bpy
import pytest
from wordless_strip import new_wordless_strip

from emote_blender.blender.head.build import add_head
from emote_blender.blender.scene.speakers import emotion_in, speaker_among


@pytest.fixture(scope="module")
def tiny_model(make_tiny_folder, tmp_path_factory):
    """A speech model of a few thousand random weights for the tiny face."""
    return make_tiny_folder(tmp_path_factory.mktemp("models") / "tiny", num_expression=6)


@pytest.fixture
def heads(scene, face):
    """Two heads, Tom and Ann."""
    return [add_head(bpy.context, face, name, (x, 0, 0)) for name, x in (("Tom", 0.0), ("Ann", 1.0))]


@pytest.fixture
def lines(scene, heads, speech_wav):
    """Strips of both, two of which overlap."""
    places = [("tom_01", 1, 1), ("Ann angry 01", 2, 11), ("tom_02", 1, 61)]
    return [new_wordless_strip(scene, name, str(speech_wav), channel, frame) for name, channel, frame in places]


def table(scene):
    """The rows as plain values."""
    return [(line.strip, line.head and line.head.name, line.emotion) for line in scene.emote.dialogue.lines]


def test_strips_are_listed_in_time_with_the_heads_that_their_names_have(scene, lines):
    assert bpy.ops.emote.fill_dialogue() == {"FINISHED"}
    assert table(scene) == [("tom_01", "Tom", "HEAD"), ("Ann angry 01", "Ann", "ANGER"), ("tom_02", "Tom", "HEAD")]


def test_only_the_selected_strips_are_listed(scene, lines):
    for strip in lines:
        strip.select = strip.name == "tom_02"
    bpy.ops.emote.fill_dialogue()
    assert [row[0] for row in table(scene)] == ["tom_02"]


def test_the_channel_names_the_speaker_of_a_strip_whose_name_does_not(scene, heads, speech_wav):
    new_wordless_strip(scene, "take 7", str(speech_wav), 3, 1)
    scene.sequence_editor.channels[3].name = "CH3 - Ann"
    bpy.ops.emote.fill_dialogue()
    assert table(scene) == [("take 7", "Ann", "HEAD")]


def test_what_the_user_chose_is_kept_when_the_table_is_filled_again(scene, heads, lines, speech_wav):
    bpy.ops.emote.fill_dialogue()
    row = scene.emote.dialogue.lines[0]
    row.head, row.emotion = heads[1], "SAD"
    new_wordless_strip(scene, "ann_00", str(speech_wav), 4, 5)
    bpy.ops.emote.fill_dialogue(strips="ALL")
    assert table(scene)[:2] == [("tom_01", "Ann", "SAD"), ("ann_00", "Ann", "HEAD")]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Ann_03", "Tom"], "Ann"),  # the strip's name counts before the channel's
        (["line", "AnnDialogue"], "Ann"),
        (["tom and ann"], None),
        (["Tommy"], None),
        (["Line 1", "Channel 1", "TOM-take2"], "Tom"),
    ],
    ids=["strip_first", "camel_case", "both", "part_of_a_word", "file"],
)
def test_a_speaker_is_found_by_whole_words(heads, names, expected):
    found = speaker_among(names, heads)
    assert (found and found.name) == expected


@pytest.mark.parametrize(
    ("name", "emotion"), [("tom_furious", "anger"), ("SadLine", "sad"), ("Made Up", ""), ("comfort", "")]
)
def test_an_emotion_is_found_by_whole_words(name, emotion):
    assert emotion_in([name]) == emotion


def test_all_lines_are_spoken_by_their_heads_in_one_go(scene, heads, lines, tiny_model):
    scene.emote.model = str(tiny_model)
    bpy.ops.emote.fill_dialogue()
    assert bpy.ops.emote.generate_dialogue() == {"FINISHED"}
    spoken = {head.name: [(take.line, take.emotion) for take in head.emote.takes] for head in heads}
    assert [line for line, _ in spoken["Tom"]] == ["tom_01", "tom_02"]
    assert [line for line, _ in spoken["Ann"]] == ["Ann angry 01"]
    assert "Anger" in spoken["Ann"][0][1]
    assert scene.emote.last_result.startswith("3 of 3")


def test_a_line_that_cannot_be_spoken_does_not_keep_the_others_from_it(scene, heads, lines, tiny_model):
    scene.emote.model = str(tiny_model)
    bpy.ops.emote.fill_dialogue()
    scene.emote.dialogue.lines[1].head = None
    scene.emote.dialogue.lines[2].strip = "gone"
    bpy.ops.emote.generate_dialogue()
    assert [len(head.emote.takes) for head in heads] == [1, 0]
    assert scene.emote.last_result.startswith("1 of 3")


def test_a_table_without_a_usable_line_says_what_to_do(scene, heads, lines):
    bpy.ops.emote.fill_dialogue()
    for row in scene.emote.dialogue.lines:
        row.head = None
    with pytest.raises(RuntimeError, match="line 'tom_01': no head is chosen; choose one in the list"):
        bpy.ops.emote.generate_dialogue()


def test_an_empty_table_says_that_it_is_to_be_filled(scene, heads):
    with pytest.raises(RuntimeError, match="Fill from Strips"):
        bpy.ops.emote.generate_dialogue()


def test_lines_are_removed_one_by_one_and_all_at_once(scene, lines):
    bpy.ops.emote.fill_dialogue()
    scene.emote.dialogue.active_line = 1
    bpy.ops.emote.remove_line()
    assert [row[0] for row in table(scene)] == ["tom_01", "tom_02"]
    bpy.ops.emote.remove_line(every=True)
    assert table(scene) == []
