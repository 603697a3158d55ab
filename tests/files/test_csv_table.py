import pytest

from emote_blender.errors import InputError
from emote_blender.files.csv_table import read_csv_table


def read(tmp_path, text, required=("audio",), optional=("emotion",), encoding="utf-8"):
    path = tmp_path / "jobs.csv"
    path.write_bytes(text.encode(encoding))
    return read_csv_table(path, required, optional)


def test_rows_are_read_by_column_name_in_any_order(tmp_path):
    rows = read(tmp_path, "emotion,audio\nhappy,a.wav\n,b.wav\n")
    assert [row.values for row in rows] == [
        {"audio": "a.wav", "emotion": "happy"},
        {"audio": "b.wav", "emotion": ""},
    ]


def test_blank_lines_do_not_shift_line_numbers(tmp_path):
    rows = read(tmp_path, "audio\n\na.wav\n\n\nb.wav\n")
    assert [row.line for row in rows] == [3, 6]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_of_spreadsheets_are_read(tmp_path, encoding, newline):
    text = newline.join(["Audio;Emotion", '"böse Zeile; laut.wav";anger', ""])
    assert read(tmp_path, text, encoding=encoding)[0].values == {"audio": "böse Zeile; laut.wav", "emotion": "anger"}


def test_a_short_row_leaves_columns_empty(tmp_path):
    assert read(tmp_path, "audio,emotion\na.wav\n")[0].values["emotion"] == ""


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", r"jobs\.csv is empty"),
        ("\n \n", r"jobs\.csv is empty"),
        ("emotion\nhappy\n", r"line 1: column 'audio' is missing; found emotion"),
        ("audio,emotoin\n", r"line 1: unknown column 'emotoin'; the columns are audio, emotion"),
        ("audio,audio\n", r"line 1: column 'audio' appears twice"),
        ("audio\na.wav,happy\n", r"line 2: 2 values for 1 columns"),
        ('audio\na.wav\n"b.wav\n', r"line 3: not valid CSV"),
        ("audio\n\0\n", "not a text file"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, sentence):
    with pytest.raises(InputError, match=sentence):
        read(tmp_path, text)


def test_another_encoding_is_said(tmp_path):
    with pytest.raises(InputError, match="UTF-8"):
        read(tmp_path, "audio\nböse.wav\n", encoding="latin-1")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match=r"no\.csv not found"):
        read_csv_table(tmp_path / "no.csv", ("audio",))


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_csv_table(tmp_path, ("audio",))


@pytest.mark.parametrize("text", ["loud", "nan", "inf", "1,5"])
def test_a_number_that_is_none_is_said_with_its_line(tmp_path, text):
    row = read(tmp_path, f'audio,emotion\na.wav,"{text}"\n')[0]
    with pytest.raises(InputError, match=r"line 2: emotion must be a number"):
        row.number("emotion", 1.0)
