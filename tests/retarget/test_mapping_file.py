import json
import os
import tracemalloc

import pytest
from counted_steps import counted_steps

from emote_blender.errors import InputError
from emote_blender.retarget.mapping import FaceMapping, MappingRow
from emote_blender.retarget.mapping_file import MAX_ROWS, fitting, read_mapping, write_mapping

ROWS = (
    MappingRow("mouthSmileLeft", "lächeln.L"),
    MappingRow("jawOpen", "jaw", "ROTATION_X", 0.25, -0.125, -1.5, 1.5, enabled=False),
    MappingRow("viseme_PP", "口 閉じる", strength=1.75, high=1.0),
)


def content(**changes) -> dict:
    """A file's values, with changes."""
    row = {"source": "jawOpen", "target": "Jaw"}
    return {"format": "EMOTE mapping", "version": 1, "name": "x", "rows": [row]} | changes


@pytest.fixture
def refused(tmp_path):
    """A function that gives the sentence with which a text is refused."""

    def sentence(text: str | bytes) -> str:
        path = tmp_path / "preset.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(InputError) as error:
            read_mapping(path)
        said = str(error.value)
        assert "\n" not in said
        assert len(said.replace(str(path), "")) < 400
        return said

    return sentence


def test_a_table_comes_back_as_it_was(tmp_path):
    mapping = FaceMapping(ROWS, "Hero's face")
    write_mapping(mapping, tmp_path / "hero.json")
    assert read_mapping(tmp_path / "hero.json") == mapping


def test_an_empty_table_comes_back(tmp_path):
    write_mapping(FaceMapping(()), tmp_path / "empty.json")
    assert read_mapping(tmp_path / "empty.json") == FaceMapping(())


def test_a_row_by_hand_needs_source_and_target_only(tmp_path):
    (tmp_path / "hand.json").write_text(json.dumps(content()))
    assert read_mapping(tmp_path / "hand.json").rows == (MappingRow("jawOpen", "Jaw"),)


def test_whole_numbers_and_a_byte_order_mark_are_read(tmp_path):
    text = json.dumps(content(rows=[{"source": "a", "target": "b", "strength": 2, "high": 2}]))
    (tmp_path / "mark.json").write_text(text, encoding="utf-8-sig")
    assert read_mapping(tmp_path / "mark.json").rows == (MappingRow("a", "b", strength=2.0, high=2.0),)


ROW = {"source": "jawOpen", "target": "Jaw"}
BAD_VALUES = {
    "another format": (content(format="other"), "is no mapping preset"),
    "no object": ([1, 2], "is no mapping preset"),
    "a newer version": (content(version=2), "has version 2, this add-on reads version 1; update the add-on"),
    "a version that is text": (content(version="1"), "has version '1'"),
    "a version that is true": (content(version=True), "has version True"),
    "rows that are no list": (content(rows={}), "rows must be a list"),
    "a row that is no object": (content(rows=[3]), r"rows[0] must hold an object"),
    "an unknown field": (content(colour="red"), "unknown field colour"),
    "an unknown field of a row": (content(rows=[ROW | {"sorce": "a"}]), "unknown field rows[0].sorce"),
    "a missing target": (content(rows=[{"source": "a"}]), "missing field rows[0].target"),
    "a target that is a number": (content(rows=[ROW | {"target": 3}]), "target must be str, found 3"),
    "a strength that is text": (content(rows=[ROW | {"strength": "1"}]), "strength must be float, found '1'"),
    "a strength that is true": (content(rows=[ROW | {"strength": True}]), "strength must be float"),
    "a null": (content(rows=[ROW | {"offset": None}]), "offset must be float, found None"),
    "an empty target": (content(rows=[ROW, ROW | {"target": ""}]), "row 2 has no usable target"),
    "a target of many letters": (content(rows=[ROW | {"target": "x" * 5000}]), "row 1 has no usable target ('xxx"),
    "a control character": (content(rows=[ROW | {"source": "a\nb"}]), "row 1 has no usable source ('a\\nb')"),
    "an unknown channel": (
        content(rows=[ROW | {"channel": "ROTATION_W"}]),
        "row 1 has the channel 'ROTATION_W'; choose",
    ),
    "a huge number": (content(rows=[ROW | {"high": 1e300}]), "row 1 has high 1e+300; give a number between"),
    "low above high": (content(rows=[ROW | {"low": 2.0}]), "row 1 has low 2 above high 1; swap them"),
    "a very long name": (content(name="n" * 300), "its name has 300 letters"),
    "too many rows": (content(rows=[ROW] * (MAX_ROWS + 1)), f"has {MAX_ROWS + 1} rows, at most {MAX_ROWS}"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_wrong_values_are_refused_with_a_sentence(refused, case):
    values, sentence = BAD_VALUES[case]
    assert sentence in refused(json.dumps(values))


BAD_TEXTS: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "is no JSON"),
    "no JSON": ("hello", "is no JSON: Expecting value in line 1"),
    "half a file": (json.dumps(content())[:40], "is no JSON"),
    "NaN": (json.dumps(content(rows=[ROW | {"strength": float("nan")}])), "it holds NaN, which is no number"),
    "infinity": ('{"format": Infinity}', "it holds Infinity, which is no number"),
    "a number beyond floats": (
        json.dumps(content(rows=[ROW | {"strength": 1}])).replace('"strength": 1', '"strength": 1e999'),
        "row 1 has strength inf",
    ),
    "a whole number of many digits": ('{"format": ' + "9" * 5000 + "}", "save the preset again"),
    "a field that stands twice": (
        '{"format": "EMOTE mapping", "format": "EMOTE mapping"}',
        "field 'format' stands twice",
    ),
    "deep lists": ("[" * 100_000 + "]" * 100_000, "is nested too deeply"),
    "deep objects": ('{"a":' * 50_000 + "1" + "}" * 50_000, "is nested too deeply"),
    "a zip": (b"PK\x03\x04" + bytes(100), "zip"),
    "zeros": (bytes(1000), ""),
}


@pytest.mark.parametrize("case", BAD_TEXTS)
def test_broken_files_are_refused_with_a_sentence(refused, case):
    text, sentence = BAD_TEXTS[case]
    assert sentence in refused(text)


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(1 << 30)  # a hole: no space is used
    tracemalloc.start()
    with pytest.raises(InputError, match="is larger than 4 MB"):
        read_mapping(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="not found"):
        read_mapping(tmp_path / "none.json")
    with pytest.raises(InputError, match="is no file"):
        read_mapping(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputError, match="is no file"):
            read_mapping(tmp_path / "pipe")


@pytest.mark.parametrize(
    "row, sentence",
    [
        (MappingRow("", "a"), "row 1 has no usable source"),
        (MappingRow("a", "b", strength=float("nan")), "row 1 has strength nan"),
        (MappingRow("a", "b", "POSE"), "row 1 has the channel 'POSE'"),
    ],
)
def test_what_could_not_be_read_is_not_written(tmp_path, row, sentence):
    path = tmp_path / "kept.json"
    write_mapping(FaceMapping(ROWS), path)
    with pytest.raises(InputError, match=sentence):
        write_mapping(FaceMapping((row,)), path)
    assert read_mapping(path).rows == ROWS
    assert os.listdir(tmp_path) == ["kept.json"]


def test_a_table_of_too_many_rows_is_not_written(tmp_path):
    with pytest.raises(InputError, match=f"a file can hold {MAX_ROWS}"):
        write_mapping(FaceMapping(ROWS[:1] * (MAX_ROWS + 1)), tmp_path / "big.json")


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        write_mapping(FaceMapping(ROWS), tmp_path / "none" / "a.json")


def test_of_a_preset_the_rows_fit_whose_targets_are_there():
    mapping, lacking = fitting(FaceMapping(ROWS, "n"), ["lächeln.L", "jaw"], ["jaw"])
    assert mapping == FaceMapping(ROWS[:2], "n")
    assert lacking == ("口 閉じる",)


def test_a_shape_key_is_no_bone():
    mapping, lacking = fitting(FaceMapping(ROWS), ["lächeln.L", "jaw"], [])
    assert mapping.rows == ROWS[:1]
    assert lacking == ("jaw", "口 閉じる")


@pytest.mark.parametrize(
    "preset, own",
    [("Bob_{}", "Anna.{}"), ("{}", "Anna_{}"), ("head.Bob_{}", "{}"), ("{}", "{}")],
)
def test_another_prefix_or_spelling_of_the_same_key_fits(preset, own):
    names = {"jawOpen": "Jaw_Open", "mouthSmileLeft": "mouth smile L", "eyeBlink_R": "EyeBlinkRight", "A": "A"}
    rows = tuple(MappingRow("jawOpen", preset.format(name), strength=index) for index, name in enumerate(names))
    mapping, lacking = fitting(FaceMapping(rows), ["Basis", *map(own.format, names.values())], [])
    kept = [name for name in names if len(name) > 1 or preset == own]  # one letter says too little
    assert [row.target for row in mapping.rows] == [own.format(names[name]) for name in kept]
    assert [row.strength for row in mapping.rows] == list(range(len(kept)))
    assert len(lacking) == len(names) - len(kept)


def test_a_word_of_the_face_is_no_prefix():
    rows = tuple(MappingRow("a", name) for name in ("mouthOpen", "mouthSmile", "mouthFrown", "viseme_aa"))
    mapping, lacking = fitting(FaceMapping(rows), ["Anna_jawOpen", "Anna_mouthSmile", "Anna_viseme_aa"], [])
    assert [row.target for row in mapping.rows] == ["Anna_mouthSmile", "Anna_viseme_aa"]
    assert lacking == ("mouthOpen", "mouthFrown")


def test_of_two_keys_with_the_same_words_none_is_taken():
    mapping, lacking = fitting(
        FaceMapping((MappingRow("a", "jawOpen"), ROWS[0])), ["B.jawOpen", "C.jawOpen", "lächeln.L"], []
    )
    assert mapping.rows == ROWS[:1]
    assert lacking == ("jawOpen",)


def test_the_cost_of_fitting_a_preset_grows_with_its_rows():
    def steps(num_rows: int) -> int:
        names = ["".join("abcdefghij"[int(digit)] for digit in str(number)) for number in range(num_rows)]
        preset = FaceMapping(tuple(MappingRow("jawOpen", f"Bob_{name}_smile") for name in names))
        keys = [f"Anna_{name}_smile" for name in names]
        assert len(fitting(preset, keys, [])[0].rows) == num_rows
        return counted_steps(fitting, preset, keys, [])

    few, many = steps(100), steps(1000)
    assert many < 11 * few


def test_a_preset_of_another_character_is_refused():
    with pytest.raises(InputError, match=r"is for another character: this one has none of its 3 targets \(lächeln"):
        fitting(FaceMapping(ROWS), ["A"], ["B"])
