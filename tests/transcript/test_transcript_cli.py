"""--transcript and the columns of a batch, with the open model and a clip whose words are known."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emote_blender.cli.main import main
from emote_blender.motion import FaceMotion

CLIP = Path(__file__).resolve().parents[1] / "data" / "anger_line.wav"
TEXT = "I told you never to open that door. Now look at what you have done!"


def generate(output: Path, *arguments: str) -> int:
    return main(["generate", str(CLIP), "-o", str(output), *arguments])


def test_a_text_and_a_file_with_it_give_the_same_motion_and_another_than_none(tmp_path, capsys):
    (tmp_path / "words.txt").write_text(TEXT, encoding="utf-8-sig")
    report = tmp_path / "report.json"
    assert generate(tmp_path / "a.npz", "--transcript", TEXT, "--report", str(report)) == 0
    assert generate(tmp_path / "b.npz", "--transcript", str(tmp_path / "words.txt"), "--language", "en-us") == 0
    assert generate(tmp_path / "c.npz") == 0
    assert "warning" not in capsys.readouterr().err
    jaw = [FaceMotion.load(tmp_path / f"{name}.npz").jaw for name in "abc"]
    assert np.array_equal(jaw[0], jaw[1])
    assert np.abs(jaw[0] - jaw[2]).max() > 0.005
    written = json.loads(report.read_text(encoding="utf-8"))["transcript"]
    assert (written["language"], written["share_followed"], len(written["words"])) == ("en-us", 1.0, 15)


@pytest.mark.once
def test_words_that_do_not_fit_are_warned_of_and_reported(tmp_path, capsys):
    report = tmp_path / "report.json"
    text = TEXT.replace("never to open", "maybe someone")
    assert generate(tmp_path / "a.npz", "--transcript", text, "--report", str(report)) == 0
    warning = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("warning"))
    assert "maybe someone" in warning
    assert "the sound was followed there" in warning
    words = json.loads(report.read_text(encoding="utf-8"))["transcript"]["words"]
    assert [word["text"] for word in words if not word["fits"]] == ["maybe", "someone"]


@pytest.mark.once
def test_a_batch_takes_transcripts_as_text_and_as_files_beside_it(tmp_path, capsys):
    (tmp_path / "words.txt").write_text(TEXT, encoding="utf-8")
    rows = [
        f'{CLIP},"{TEXT}",,1.npz',
        f"{CLIP},words.txt,en,2.npz",
        f"{CLIP},,,3.npz",
        f"{CLIP},hello,xx,4.npz",
        f"{CLIP},missing.txt,,5.npz",
        f"{CLIP},,de,6.npz",
    ]
    (tmp_path / "jobs.csv").write_text("audio,transcript,language,output\n" + "\n".join(rows), encoding="utf-8")
    report = tmp_path / "report.json"
    assert main(["batch", str(tmp_path / "jobs.csv"), "-o", str(tmp_path / "out"), "--report", str(report)]) == 1
    results = json.loads(report.read_text(encoding="utf-8"))["results"]
    assert [result["status"] for result in results] == ["done"] * 3 + ["failed"] * 3
    assert results[0]["transcript"] == results[1]["transcript"]
    assert "transcript" not in results[2]
    complaints = ("unknown language 'xx'", "missing.txt not found", "line 7: a language without a transcript")
    for result, complaint in zip(results[3:], complaints):
        assert complaint in result["error"]


def test_a_language_without_a_transcript_is_wrong_usage(tmp_path):
    assert generate(tmp_path / "a.npz", "--language", "de") == 2


def test_a_model_without_a_phone_head_is_refused_before_anything_runs(tmp_path, make_tiny_folder, capsys):
    folder = make_tiny_folder(tmp_path / "tiny", audio="wav2vec2")
    assert generate(tmp_path / "a.npz", "--model", str(folder), "--transcript", TEXT) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "error: the model tiny_wav2vec2 cannot use a transcript; leave the transcript out or choose emote_open"
    )


@pytest.mark.once
def test_auto_recognises_the_words_follows_them_and_reports_them(tmp_path, capsys):
    report = tmp_path / "report.json"
    assert generate(tmp_path / "a.npz", "--transcript", "auto", "--report", str(report)) == 0
    line = next(line for line in capsys.readouterr().err.splitlines() if "recognised" in line)
    assert line.startswith("anger_line.wav: recognised (pocketsphinx): i ")
    assert "never" in line
    written = json.loads(report.read_text(encoding="utf-8"))["transcript"]
    assert (written["source"], written["recogniser"], written["language"]) == ("recognised", "pocketsphinx", "en-us")
    for word in written["recognised_words"]:
        assert (f"[{word['text']}?]" in line) == word["uncertain"] or not word["uncertain"]
    assert generate(tmp_path / "b.npz", "--transcript", "none") == 0
    recognised, alone = (FaceMotion.load(tmp_path / f"{name}.npz").jaw for name in "ab")
    assert not np.array_equal(recognised, alone)


def test_auto_without_speech_warns_and_follows_the_sound_alone(tmp_path, capsys):
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(16000, np.float32), 16000)
    assert main(["generate", str(silence), "-o", str(tmp_path / "a.npz"), "--transcript", "auto"]) == 0
    warning = "warning: silence.wav: pocketsphinx recognised no words (en-us); the sound alone was followed"
    assert warning in capsys.readouterr().err


def test_auto_in_a_language_without_a_recogniser_is_refused_before_anything_runs(tmp_path, capsys):
    assert generate(tmp_path / "a.npz", "--transcript", "auto", "--language", "de") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "understands en only, not de; choose a folder with a recogniser" in line


def test_auto_with_a_model_that_takes_no_transcript_follows_the_sound_alone(tmp_path, make_tiny_folder, capsys):
    folder = make_tiny_folder(tmp_path / "tiny", audio="wav2vec2")
    assert generate(tmp_path / "a.npz", "--model", str(folder), "--transcript", "auto") == 0
    warning = "warning: anger_line.wav: the model tiny_wav2vec2 cannot use a transcript; the sound alone was followed"
    assert warning in capsys.readouterr().err.splitlines()


@pytest.mark.once
def test_a_batch_recognises_the_words_of_rows_that_ask_for_it_or_say_nothing(tmp_path):
    rows = [f"{CLIP},auto,1.npz", f"{CLIP},none,2.npz", f"{CLIP},,3.npz", f'{CLIP},"{TEXT}",4.npz']
    (tmp_path / "jobs.csv").write_text("audio,transcript,output\n" + "\n".join(rows), encoding="utf-8")
    report = tmp_path / "report.json"
    arguments = ["batch", str(tmp_path / "jobs.csv"), "-o", str(tmp_path / "out"), "--report", str(report)]
    assert main([*arguments, "--transcript", "auto"]) == 0
    results = json.loads(report.read_text(encoding="utf-8"))["results"]
    sources = [result.get("transcript", {}).get("source") for result in results]
    assert sources == ["recognised", None, "recognised", "written"]


@pytest.mark.once
def test_subtitles_give_the_motion_of_their_words_and_report_what_was_mended(tmp_path, capsys):
    cues = "1\n00:00:02,200 --> 00:00:00,000\nANNA: I told you <i>never</i> to open that door.\n\n" + (
        "2\n00:00:02,100 --> 00:00:04,000\n[shouting] Now look at what you have done!\n"
    )
    (tmp_path / "line.srt").write_text(cues)
    report = tmp_path / "report.json"
    assert generate(tmp_path / "a.npz", "--transcript", str(tmp_path / "line.srt"), "--report", str(report)) == 0
    fault = (
        "1 cue of the transcript with an end before the start ('I told you never to open that…' at 2.2 s): start and"
    )
    assert fault in capsys.readouterr().err
    written = json.loads(report.read_text(encoding="utf-8"))["transcript"]
    assert written["source"] == "subtitles"
    assert written["faults"][0].startswith(fault)
    assert [word["text"] for word in written["words"]][-2:] == ["have", "done"]
    assert generate(tmp_path / "b.npz", "--transcript", TEXT) == 0
    timed, text = (FaceMotion.load(tmp_path / f"{name}.npz").jaw for name in "ab")
    np.testing.assert_allclose(timed, text, atol=0.05)
