from pathlib import Path

import pytest

from emote_blender.batch.table import read_jobs
from emote_blender.emotion import EMOTIONS
from emote_blender.errors import InputError
from emote_blender.motion_tools.life import STILL, Life
from emote_blender.motion_tools.refine import Refinement


@pytest.fixture
def read(tmp_path: Path):
    """A function of the CSV's text that gives its rows; the CSV is in lists/, the output folder is out/."""
    (tmp_path / "lists").mkdir()

    def read_text(text: str):
        (tmp_path / "lists" / "jobs.csv").write_text(text, encoding="utf-8")
        return read_jobs(tmp_path / "lists" / "jobs.csv", tmp_path / "out")

    return read_text


def test_columns_that_are_left_out_have_defaults(read, tmp_path):
    (row,) = read("audio\nline.wav\n")
    assert row.job.audio == tmp_path / "lists" / "line.wav"
    assert row.job.output == tmp_path / "out" / "line.npz"
    assert row.job.condition == {"emotion": "neutral", "intensity": 1.0}
    assert row.job.speaker is None


def test_every_column_counts(read, tmp_path):
    text = "audio,emotion,intensity,speaker,output\n../a b/été.flac,ANGER,1.5,soft,sub/x.blend\n"
    (row,) = read(text)
    assert row.job.audio.resolve() == tmp_path / "a b" / "été.flac"
    assert row.job.output == tmp_path / "out" / "sub" / "x.blend"
    assert row.job.condition == {"emotion": "anger", "intensity": 1.5}
    assert row.job.track.emotion_weights[0, EMOTIONS.index("anger")] == 1
    assert row.job.speaker == "soft"


def test_an_absolute_audio_path_stays(read, tmp_path):
    assert read(f"audio\n{tmp_path}/line.wav\n")[0].job.audio == tmp_path / "line.wav"


@pytest.mark.parametrize("audio", [".", "..", "../lists"])
def test_a_folder_in_place_of_an_audio_file_is_named(read, audio):
    assert "is a folder; write the path of an audio file" in read(f"audio\n{audio}\n")[0].error


def test_one_audio_in_two_emotions_gets_two_names(read):
    rows = read("audio,emotion,intensity\nline.wav,happy,\nline.wav,happy,2\nline.wav,,\n")
    assert [row.job.output.name for row in rows] == ["line_happy.npz", "line_happy_2.npz", "line.npz"]


@pytest.mark.parametrize("output", ["../x.npz", "/x.npz", "sub/../../x.npz", "../out2/x.npz"])
def test_an_output_outside_the_folder_is_refused(read, output):
    rows = read(f"audio,output\na.wav,{output}\nb.wav,b.npz\n")
    assert "is outside" in rows[0].error
    assert "line 2" in rows[0].error
    assert rows[1].job


def test_an_output_that_leaves_through_a_link_is_refused(read, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    assert "is outside" in read("audio,output\na.wav,link/x.npz\n")[0].error


@pytest.mark.parametrize("first, second", [("x.npz", "x.npz"), ("x.npz", "sub/../x.npz"), ("x.npz", "X.npz")])
def test_a_second_row_with_the_same_output_is_refused(read, first, second):
    rows = read(f"audio,output\na.wav,{first}\nb.wav,{second}\n")
    assert rows[0].job
    assert "line 3" in rows[1].error
    assert "already written by line 2" in rows[1].error


@pytest.mark.parametrize(
    "row, sentence",
    [
        (",happy,1,,", "line 2: audio is empty"),
        ("a.wav,furious,1,,", "line 2: unknown emotion 'furious'"),
        ("a.wav,happy,3,,", "line 2: intensity 3 is outside 0 to 2"),
        ("a.wav,happy,loud,,", "line 2: intensity must be a number, found 'loud'"),
        ("a.wav,happy,1,,x.mp4", "line 2: output x.mp4 must end in .npz"),
        ("a.wav,happy,1,,.npz", "line 2: output .npz must end in"),
    ],
)
def test_a_wrong_row_says_its_line_and_leaves_the_others(read, row, sentence):
    rows = read(f"audio,emotion,intensity,speaker,output\n{row}\nb.wav,,,,\n")
    assert sentence in rows[0].error
    assert rows[0].job is None
    assert rows[1].job


def test_a_file_without_rows_is_refused(read):
    with pytest.raises(InputError, match="has no rows"):
        read("audio,output\n")


def test_a_row_may_be_alive(read):
    rows = read("audio,blinks,gaze,head_motion,seed,output\na.wav,yes,No,1,7,a.npz\nb.wav,,,,,b.npz\n")
    life = rows[0].job.life
    assert (life.blinks, life.gaze, life.head_motion, life.seed) == (True, False, True, 7)
    assert not rows[1].job.life.moves


def test_a_row_overrides_the_switches_of_the_command(tmp_path):
    (tmp_path / "jobs.csv").write_text("audio,gaze\na.wav,no\nb.wav,\n", encoding="utf-8")
    first, second = (row.job.life for row in read_jobs(tmp_path / "jobs.csv", tmp_path / "out", Life(seed=3)))
    assert (first.blinks, first.gaze, first.seed) == (True, False, 3)
    assert (second.gaze, second.seed) == (True, 3)
    assert not STILL.moves


@pytest.mark.parametrize(
    "column, value, sentence",
    [("gaze", "perhaps", "gaze must be yes or no"), ("seed", "1.5", "whole number"), ("seed", "-2", "the seed is -2")],
)
def test_a_wrong_switch_or_seed_is_an_error_of_its_row(read, column, value, sentence):
    (row,) = read(f"audio,{column}\na.wav,{value}\n")
    assert sentence in row.error
    assert "line 2" in row.error


def test_a_row_may_be_refined_in_place_of_the_commands_refinement(tmp_path):
    text = 'audio,refine\na.wav,"jaw_strength=0.5, asymmetry=-1"\nb.wav,\nc.wav,jaw=1\n'
    (tmp_path / "jobs.csv").write_text(text, encoding="utf-8")
    rows = read_jobs(tmp_path / "jobs.csv", tmp_path / "out", refinement=Refinement(upper_strength=0.7))
    assert rows[0].job.refinement.summary() == {"jaw_strength": 0.5, "asymmetry": -1.0}
    assert rows[1].job.refinement.summary() == {"upper_strength": 0.7}
    assert "line 4: refinement has no parameter 'jaw'" in rows[2].error


@pytest.mark.parametrize(
    "cell, transcript",
    [("auto", "auto"), ("AUTO", "auto"), ("none", None), ("None", None), ("", None), ("Auto.", "Auto.")],
)
def test_auto_and_none_are_keywords_of_the_transcript(read, cell, transcript):
    (row,) = read(f"audio,transcript\na.wav,{cell}\n")
    assert row.job.transcript == transcript


def test_a_language_may_stand_beside_auto(read):
    (row,) = read("audio,transcript,language\na.wav,auto,de\n")
    assert (row.job.transcript, row.job.language) == ("auto", "de")


def test_a_language_without_words_is_refused(read):
    assert "line 2: a language without a transcript" in read("audio,language\na.wav,de\n")[0].error


def test_rows_that_are_no_csv_leave_the_others(read):
    rows = read('audio,emotion\na.wav,sad\n"b.wav,sad\nc.wav,sad,1\nd.wav,happy\n')
    assert [row.line for row in rows if row.job] == [2, 5]
    assert "line 3: not valid CSV: column audio" in rows[1].error
    assert "line 4: 3 values for 2 columns, the first too many is '1'" in rows[2].error


def test_a_table_of_excel_in_german_is_read(tmp_path):
    text = "sep=;\r\nAudio;Emotion;Intensity;Blinks;Seed;Output;;\r\nTür.wav;anger;1,5;WAHR;2,0;a.npz;;\r\n;;;;;;;\r\n"
    (tmp_path / "jobs.csv").write_bytes(text.encode("cp1252"))
    warnings: list[str] = []
    (row,) = read_jobs(tmp_path / "jobs.csv", tmp_path / "out", warn=warnings.append)
    assert row.job.audio == tmp_path / "Tür.wav"
    assert row.job.condition == {"emotion": "anger", "intensity": 1.5}
    assert (row.job.life.blinks, row.job.life.seed) == (True, 2)
    assert "Windows-1252" in warnings[0]


def test_jobs_may_be_json_lines(tmp_path):
    text = '{"audio": "a.wav", "emotion": "anger", "intensity": 1.5, "blinks": true, "seed": 7}\n{"audio": 1}\n'
    (tmp_path / "jobs.jsonl").write_text(text)
    first, second = read_jobs(tmp_path / "jobs.jsonl", tmp_path / "out")
    assert (first.job.condition["intensity"], first.job.life.blinks, first.job.life.seed) == (1.5, True, 7)
    assert "jobs.jsonl line 2: audio must be text in quotes, found 1" in second.error


@pytest.mark.parametrize(
    "cell",
    [
        "\"'{}/sounds/Zeile é.wav'\"",
        "“{}/sounds/Zeile é.wav”",
        "file://{}/sounds/Zeile%20%C3%A9.wav",
        "../sounds/Zeile e\u0301.wav",
        "..\\sounds\\Zeile é.wav",
    ],
)
def test_a_pasted_path_is_the_audio_and_names_the_output(read, tmp_path, cell):
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "Zeile é.wav").touch()
    (row,) = read(f"audio\n{cell.format(tmp_path.as_posix())}\n")
    assert row.job.audio.samefile(tmp_path / "sounds" / "Zeile é.wav")
    assert row.job.output == tmp_path / "out" / "Zeile é.npz"


@pytest.mark.parametrize(
    "output",
    [
        "'../x.npz'",
        "“../x.npz”",
        "file:///tmp/x.npz",
        "file://localhost/tmp/x.npz",
        "file:../x.npz",
        "file:%2e%2e/x.npz",
        "..\\x.npz",
        "sub\\..\\..\\x.npz",
        "~/x.npz",
        "\u200b../x.npz",
        "//server/share/x.npz",
        " / x.npz".replace(" ", ""),
    ],
)
def test_no_way_of_writing_an_output_leads_out_of_the_folder(read, output):
    (row,) = read(f"audio,output\na.wav,{output}\n")
    assert "is outside" in row.error


def test_an_output_with_a_line_break_is_refused(read):
    rows = read('audio,output\na.wav,"a\n.npz"\nb.wav,b\x0b.npz\nc.wav,ç\u3000é.npz\n')
    assert ["has a line break" in (row.error or "") for row in rows] == [True, True, False]


def test_a_path_of_another_system_is_an_error_of_its_row(read):
    rows = read("audio,output\nC:\\Sounds\\a.wav,a.npz\nb.wav,D:\\takes\\b.npz\nc.wav,c.npz\n")
    assert "line 2: C:\\Sounds\\a.wav is a path of Windows" in rows[0].error
    assert "line 3: D:\\takes\\b.npz is a path of Windows" in rows[1].error
    assert rows[2].job


def test_a_pasted_output_is_inside_the_folder(read, tmp_path):
    rows = read(f"audio,output\na.wav,'sub/x y.npz'\nb.wav,{(tmp_path / 'out' / 'b.npz').as_uri()}\nc.wav,sub\\c.npz\n")
    outputs = [row.job.output.relative_to(tmp_path / "out").as_posix() for row in rows]
    assert outputs == ["sub/x y.npz", "b.npz", "sub/c.npz"]


def test_the_same_name_in_two_forms_of_unicode_is_one_output(read):
    rows = read("audio,output\na.wav,é.npz\nb.wav,E\u0301.npz\n")
    assert "already written by line 2" in rows[1].error


def test_a_number_of_a_spreadsheet_does_not_get_into_the_name(read):
    rows = read("audio;emotion;intensity\na.wav;happy;1,50\nb.wav;happy;150%\nc.wav;happy;2,0\n")
    assert [row.job.output.name for row in rows] == ["a_happy_1.5.npz", "b_happy_1.5.npz", "c_happy_2.npz"]


@pytest.mark.parametrize(
    "text", ["jaw_strength=1.2, asymmetry=-0.5", "jaw_strength=1,2; asymmetry=-0,5;", "jaw_strength=1,2,asymmetry=-,5"]
)
def test_a_refinement_may_have_semicolons_and_decimal_commas(text):
    assert Refinement.parse(text).summary() == {"jaw_strength": 1.2, "asymmetry": -0.5}


@pytest.mark.parametrize("text", ["jaw_strength=1,2,3", "jaw_strength=1,2,3,4", "jaw_strength=a,5"])
def test_a_refinement_with_two_commas_in_a_number_is_refused(text):
    with pytest.raises(InputError, match="jaw_strength must be a number|no parameter"):
        Refinement.parse(text)
