import csv
import io
import json

import pytest
from counted_steps import counted_steps
from hypothesis import given, settings
from hypothesis import strategies as st

from emote_blender.errors import InputError
from emote_blender.files.csv_records import trim
from emote_blender.files.table import parse_number, read_table


@pytest.fixture
def read(tmp_path):
    """A function of the file's text (or bytes) that gives its rows; columns audio, emotion, intensity and gaze."""

    def read_text(text, encoding="utf-8", name="jobs.csv", optional=("emotion", "intensity", "gaze"), warn=pytest.fail):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return read_table(path, ("audio",), optional, ("intensity",), ("gaze",), warn)

    return read_text


def values(rows, *columns):
    """The texts of some columns, row by row; fails if a row has a problem."""
    assert [row.problem for row in rows] == [""] * len(rows)
    return [tuple(row.values[column] for column in columns or ("audio", "emotion")) for row in rows]


def test_rows_are_read_by_column_name_in_any_order(read):
    assert values(read("emotion,audio\nhappy,a.wav\n,b.wav\n")) == [("a.wav", "happy"), ("b.wav", "")]


def test_blank_lines_do_not_shift_line_numbers(read):
    assert [row.line for row in read("audio\n\na.wav\n\n\nb.wav\n")] == [3, 6]


def test_a_row_after_a_cell_of_several_lines_has_its_line_and_its_row(read):
    rows = read('audio,emotion\r\n"a\r\n\r\n.wav",sad\r\nb.wav,happy\r\n')
    assert [row.line for row in rows] == [2, 5]
    assert [row.place.split("jobs.csv ")[1] for row in rows] == ["line 2", "line 5 (row 3)"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_files_of_spreadsheets_are_read(read, separator, newline, encoding, mark):
    text = newline.join(
        [separator.join(line) for line in (("Audio", "Emotion"), ('"böse, Zeile; a|b.wav"', "anger"), ("",))]
    )
    assert values(read(mark + text, encoding)) == [("böse, Zeile; a|b.wav", "anger")]


def test_a_code_page_is_read_with_a_warning(read):
    warnings: list[str] = []
    rows = read("audio;emotion\r\nböse Zeile.wav;anger\r\n", "cp1252", warn=warnings.append)
    assert values(rows) == [("böse Zeile.wav", "anger")]
    assert "jobs.csv is not in UTF-8; it was read as Windows-1252, with letters as in 'böse'" in warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\naudio;emotion\r\na.wav;sad\r\n",
        'SEP=;\r\n"audio";"emotion"\r\n"a.wav";"sad"\r\n',
        '"sep=;"\naudio;emotion\na.wav;sad\n',
        "sep=;;\naudio;emotion\na.wav;sad\n",
        "sep= ;\naudio;emotion\na.wav;sad\n",
        "sep=\t\naudio\temotion\na.wav\tsad\n",
        "sep=:\naudio:emotion\na.wav:sad\n",
        "sep=;\naudio,emotion\na.wav,sad\n",
        "sep=^\naudio^emotion\na.wav^sad\n",
    ],
)
def test_the_line_that_names_the_separator_is_no_header(read, text):
    rows = read(text)
    assert values(rows) == [("a.wav", "sad")]
    assert rows[0].place.endswith("line 3 (row 2)")


@pytest.mark.parametrize(
    "text",
    [
        "audio,emotion,,\r\na.wav,sad,,\r\n,,,\r\n",
        "audio;emotion;;;\na.wav;sad\n;;;;\n",
        "\n\naudio,emotion\na.wav,sad\n",
        "Sheet 1: Table 1\naudio,emotion\na.wav,sad\n",
        "# takes of monday; draft\n\naudio,emotion\na.wav,sad\n",
        "Takes,,\n,,\naudio,,emotion\na.wav,,sad\n",
        'audio, emotion\na.wav, "sad"\n',
        'audio,emotion\n"a.wav" , "sad"  \n',
        'audio,emotion\n"a.wav"\u00a0,\u00a0"sad"\u00a0\n',
        "audio\t emotion\n\"a.wav\" \t 'sad'\n".replace("'", '"'),
        '"\ufeffAudio:",EMOTION \n a.wav ,sad\n',
        "\u200eAudio\u200f ,*Emotion*\na.wav,\u202asad\u202c\n",
        "ａｕｄｉｏ,emotion\na.wav,sad\n",
        "audio,emotion\na.wav,sad\x1a",
        "audio,emotion\na.wav,sad",
        "audio|emotion\na.wav|sad|\n",
    ],
)
def test_what_people_and_programs_add_changes_nothing(read, text):
    assert values(read(text)) == [("a.wav", "sad")]


@pytest.mark.parametrize("mark", "\u2028 \u2029 \x85 \x0b \x0c \x1c \x1d \x1e \x1f".split(" "))
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_line_separator_of_unicode_does_not_tear_the_row(read, mark, quote):
    rows = read(f"audio,emotion,intensity\na.wav,{quote}never{mark}open{quote},2\nb.wav,sad,1\n")
    assert values(rows, "audio", "emotion", "intensity") == [("a.wav", f"never{mark}open", "2"), ("b.wav", "sad", "1")]
    assert [row.line for row in rows] == [2, 3]


def test_quotes_inside_cells_stay(read):
    rows = read('audio,emotion\n5" drum.wav,"he said ""no"", twice"\n“a”.wav,„so“ ‘it’ is\n')
    assert values(rows) == [('5" drum.wav', 'he said "no", twice'), ("“a”.wav", "„so“ ‘it’ is")]


def test_names_of_columns_may_have_blanks_or_hyphens(tmp_path):
    (tmp_path / "a.csv").write_text("Audio,Head Motion,time-seconds\nx,yes,1\n")
    (row,) = read_table(tmp_path / "a.csv", ("audio",), ("head_motion", "time_seconds"))
    assert row.values == {"audio": "x", "head_motion": "yes", "time_seconds": "1"}


def test_a_short_row_leaves_columns_empty(read):
    assert values(read("audio,emotion\na.wav\n")) == [("a.wav", "")]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", r"jobs\.csv is empty"),
        ("\n \n", r"jobs\.csv is empty"),
        (",,\n,,\n", r"jobs\.csv names no columns; its first line must be a header with audio, emotion"),
        ("emotion\nhappy\n", r"line 1: column 'audio' is missing; found emotion"),
        ("audio,emotoin\n", r"line 1: unknown column 'emotoin'; did you mean emotion\? the columns are audio, emotion"),
        ("audio;mood\n", r"line 1: unknown column 'mood'; the columns are audio"),
        ("audio,Audio \n", r"line 1: column 'audio' appears twice"),
        ('audio,"emotion\na.wav,sad\n', r"line 1: a column's name begins with a quote"),
        ("audio\n\0\n", "not a text file"),
        ("<html><table><td>audio</td></table>", r"is a web page or XML; save it as CSV"),
        ('[{"audio": "a.wav"}]', r"is one piece of JSON; write one object on each line"),
        ('{\n  "audio": "a.wav"\n}\n', r"is one piece of JSON; write one object"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(read, text, sentence):
    with pytest.raises(InputError, match=sentence):
        read(text)


@pytest.mark.parametrize("content, what", [(b"PK\x03\x04 xl/workbook.xml", "workbook of Excel")])
def test_a_workbook_says_how_to_export_it(read, content, what):
    with pytest.raises(InputError, match=rf"jobs\.xlsx is a {what}; save it as CSV in UTF-8 \(in Excel: Save As"):
        read(content, name="jobs.xlsx")


@pytest.mark.parametrize(
    "row, sentence",
    [
        ("a.wav,sad,1,yes,x.npz", "line 3: 5 values for 4 columns, the first too many is 'x.npz'; put quotes"),
        ('"a.wav', "line 3: not valid CSV: column audio begins with a quote and does not end with one"),
        ('a.wav,"I said "never", twice",1', "line 3: not valid CSV: column emotion begins with a quote"),
        ('a.wav,"sad" very,1', "line 3: not valid CSV: column emotion begins with a quote"),
        ("a.wav,#NAME?", "line 3: emotion is #NAME?, which a spreadsheet shows in place of a value"),
        ("a.wav,#¡VALOR!", "emotion is #¡VALOR!"),
        ("a.wav,#########", "emotion is #########"),
        ("#N/A,sad", "audio is #N/A"),
    ],
)
def test_a_row_that_cannot_be_read_leaves_the_others(read, row, sentence):
    rows = read(f'audio,emotion,intensity,gaze\nbefore.wav,"sad"\n{row}\nafter.wav,"sad"\n')
    assert [row.values["audio"] for row in rows][::2] == ["before.wav", "after.wav"]
    assert [bool(row.problem) for row in rows] == [False, True, False]
    assert sentence in rows[1].problem
    with pytest.raises(InputError, match="line 3"):
        rows[1].require_usable()


def test_a_value_in_a_column_without_a_name_is_a_problem(read):
    (row,) = read("audio,,emotion\na.wav,loud,sad\n")
    assert "line 2: 'loud' stands in column 2, which has no name" in row.problem


def test_the_first_value_too_many_is_named_with_the_separator(read):
    (row,) = read("audio;emotion\na.wav;never; open;that\n")
    assert (
        "4 values for 2 columns, the first too many is 'open'; put quotes around a text that has a semicolon"
        in row.problem
    )


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match=r"no\.csv not found; check the path of the CSV file"):
        read_table(tmp_path / "no.csv", ("audio",))


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path, ("audio",))


@pytest.mark.parametrize(
    "text, value, value_without_commas",
    [
        ("1.5", 1.5, 1.5),
        ("1,5", 1.5, 1.5),
        (",5", 0.5, 0.5),
        (".5", 0.5, 0.5),
        ("2.", 2.0, 2.0),
        ("2,", 2.0, 2.0),
        ("1e0", 1.0, 1.0),
        ("1,5E+00", 1.5, 1.5),
        ("+1", 1.0, 1.0),
        ("-0,25", -0.25, -0.25),
        ("−1", -1.0, -1.0),
        ("１．５", 1.5, 1.5),
        ("0,125", 0.125, 0.125),
        ("1,500", 1.5, None),
        ("1 234,5", 1234.5, 1234.5),
        ("1\u202f234,5", 1234.5, 1234.5),
        ("1\u00a0234 567.25", 1234567.25, 1234567.25),
        ("1’234.5", 1234.5, 1234.5),
        ("1.234,5", 1234.5, 1234.5),
        ("1,234.5", 1234.5, 1234.5),
        ("1,234,567", 1234567.0, 1234567.0),
        ("1.234.567", 1234567.0, 1234567.0),
        ("1.234", 1.234, 1.234),
        ("150%", 1.5, 1.5),
        ("12,5 %", 0.125, 0.125),
        ("1 23", None, None),
        ("1,2,3", None, None),
        ("1.2.3", None, None),
        ("1_0", None, None),
        ("loud", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("1e999", None, None),
        ("0x1", None, None),
        ("1-May", None, None),
        ("", None, None),
        ("%", None, None),
        (",", None, None),
    ],
)
def test_numbers_are_read_as_spreadsheets_write_them(text, value, value_without_commas):
    assert parse_number(text, has_decimal_commas=True) == value
    assert parse_number(text) == value_without_commas


def test_a_decimal_comma_is_certain_where_semicolons_separate(read):
    assert read("audio;intensity\na.wav;1,500\n")[0].number("intensity", 0.0) == 1.5
    with pytest.raises(InputError, match="line 2: intensity must be a number, found '1,500'; write for example 1.5"):
        read('audio,intensity\na.wav,"1,500"\n')[0].number("intensity", 0.0)


def test_an_empty_number_and_switch_are_left_out(read):
    (row,) = read("audio,intensity,gaze\na.wav,,\n")
    assert (row.number("intensity", 3.0), row.switch("gaze")) == (3.0, None)


@pytest.mark.parametrize("text", ["yes", "TRUE", "Wahr", "1", "ON", "VRAI", "ИСТИНА", "Sí", "Si\u0301"])
def test_yes_is_understood(read, text):
    assert read(f"audio,gaze\na.wav,{text}\n")[0].switch("gaze") is True


@pytest.mark.parametrize("text", ["no", "False", "falsch", "0", "FAŁSZ", "n"])
def test_no_is_understood(read, text):
    assert read(f"audio,gaze\na.wav,{text}\n")[0].switch("gaze") is False


def test_another_word_is_no_switch(read):
    with pytest.raises(InputError, match="line 2: gaze must be yes or no, found 'perhaps'"):
        read("audio,gaze\na.wav,perhaps\n")[0].switch("gaze")


@pytest.mark.parametrize("name", ["jobs.jsonl", "jobs.ndjson", "jobs.csv", "jobs.txt"])
def test_json_lines_are_read_by_content_or_suffix(read, name):
    first, second = (
        '{"audio": "a\\u00e9.wav", "intensity": 1.5, "gaze": true}',
        '{"Audio": " b.wav", "gaze": 0, "emotion": null}',
    )
    rows = read(f"\ufeff{first}\r\n\r\n{second}\n", name=name)
    assert values(rows, "audio", "emotion") == [("aé.wav", ""), ("b.wav", "")]
    assert (rows[0].number("intensity", 0), rows[0].switch("gaze"), rows[1].switch("gaze")) == (1.5, True, False)
    assert [row.line for row in rows] == [1, 3]


def test_a_line_separator_of_unicode_does_not_tear_an_object(read):
    assert values(read('{"audio": "a\u2028b.wav"}\n{"audio": "c.wav"}')) == [("a\u2028b.wav", ""), ("c.wav", "")]


@pytest.mark.parametrize(
    "line, sentence",
    [
        ('{"audio": "a.wav", "mood": "sad"}', "has the unknown key 'mood'; the keys are audio, emotion"),
        ('{"audio": 5}', "audio must be text in quotes, found 5"),
        ('{"audio": ["a.wav"]}', "audio must be text in quotes, found a list"),
        ('{"audio": "a.wav", "emotion": {"happy": 1}}', "emotion must be text in quotes, found an object"),
        ('{"audio": "a.wav", "emotion": true}', "emotion must be text in quotes, found true"),
        ('{"audio": "a.wav", "intensity": true}', "intensity must be a number, found true"),
        ('{"audio": "a.wav", "intensity": []}', "intensity must be a number, found a list"),
        ('{"audio": "a.wav", "gaze": {}}', "gaze must be true or false, found an object"),
        ('{"audio": "a.wav", "audio": "b.wav"}', "has the key 'audio' twice"),
        ('{"audio": "a.wav",}', "is not valid JSON ("),
        ("{'audio': 'a.wav'}", "is not valid JSON ("),
        ('{"audio": "a.wav"', "is not valid JSON ("),
        ("a.wav,sad", "is not valid JSON ("),
        ('"a.wav"', 'is text; write one object such as {"audio": "line.wav"'),
        ("null", "is null; write one object"),
        ('["a.wav"]', "is a list; write one object"),
        ('{"audio": ' + "[" * 100_000, "is n"),
        ('{"intensity": ' + "1" * 5000 + "}", "has a number that is too long"),
        ('{"audio": "a\\u0000.wav"}', "audio has a character that is none"),
        ('{"audio": "a\\ud800.wav"}', "audio has a character that is none"),
    ],
)
def test_an_object_that_cannot_be_read_leaves_the_others(read, line, sentence):
    rows = read('{"audio": "before.wav"}\n' + line + '\n{"audio": "after.wav"}\n', name="jobs.jsonl")
    assert [bool(row.problem) for row in rows] == [False, True, False]
    assert rows[1].problem.split("jobs.jsonl ")[1].startswith("line 2: " + sentence)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_json_number_must_be_finite(read, number):
    with pytest.raises(InputError, match="intensity must be a number"):
        read('{"audio": "a.wav", "intensity": ' + number + "}")[0].number("intensity", 1.0)


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\x1a"), max_size=12).filter(
    lambda text: not text.startswith("#") and not text.startswith("Err:")
)
ROWS = st.lists(st.tuples(CELL.filter(trim), CELL), min_size=1, max_size=5)


@pytest.mark.once
@given(
    ROWS,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    st.booleans(),
    st.integers(0, 3),
)
def test_every_table_that_python_writes_is_read_back(tmp_path_factory, rows, separator, newline, quotes_all, encoding):
    file = io.StringIO()
    # With "\\r" at line ends, Python 3.11 leaves cells with "\\n" without quotes.
    needs_all = quotes_all or newline == "\r"
    writer = csv.writer(
        file, delimiter=separator, lineterminator=newline, quoting=csv.QUOTE_ALL if needs_all else csv.QUOTE_MINIMAL
    )
    writer.writerows([("audio", "emotion"), *rows])
    path = tmp_path_factory.mktemp("table") / "jobs.csv"
    path.write_bytes(file.getvalue().encode(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"][encoding]))
    expected = [(trim(audio), trim(emotion)) for audio, emotion in rows]
    assert values(read_table(path, ("audio",), ("emotion",), warn=pytest.fail)) == expected


@pytest.mark.once
@given(ROWS)
def test_every_table_in_json_lines_is_read_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "jobs.jsonl"
    lines = [
        json.dumps({"audio": audio, "emotion": emotion}, ensure_ascii=len(rows) % 2 == 0) for audio, emotion in rows
    ]
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    expected = [(trim(audio), trim(emotion)) for audio, emotion in rows]
    assert values(read_table(path, ("audio",), ("emotion",))) == expected


@pytest.mark.once
@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_a_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("table") / "jobs.csv"
    path.write_bytes(data)
    with pytest.raises(InputError):
        read_table(path, ("audio",), ("emotion",), warn=lambda sentence: None)


@pytest.mark.once
@given(st.text(st.sampled_from('a";,\t\r\n ='), max_size=60))
def test_any_text_below_the_header_gives_rows(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("table") / "jobs.csv"
    path.write_bytes(b"audio,emotion\n" + text.encode())
    for row in read_table(path, ("audio",), ("emotion",)):
        assert row.problem == "" or row.problem.startswith(row.place)


@pytest.mark.once
def test_the_cost_of_rows_with_open_quotes_grows_with_their_number(read):
    def steps(num_rows: int) -> int:
        text = "audio,emotion,intensity\n" + 'a.wav,"never,1\n' * num_rows
        assert all(row.problem for row in read(text))
        return counted_steps(read, text)

    few, many = steps(200), steps(2000)
    assert many < 11 * few
