import io

from emote_blender.files.console_progress import ProgressLine


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    encoding = "ascii"

    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_a_line_per_text_and_quarter():
    stream = io.StringIO()
    progress = ProgressLine(stream, "line.wav")
    for text in ("listening", "animating"):
        for percent in range(101):
            progress(percent / 100, text)
    progress.clear()
    assert stream.getvalue().splitlines() == [
        *(f"line.wav: listening {percent} %" for percent in (0, 25, 50, 75, 100)),
        *(f"line.wav: animating {percent} %" for percent in (0, 25, 50, 75, 100)),
    ]


def test_a_terminals_line_is_written_over_and_taken_away():
    stream = Terminal()
    progress = ProgressLine(stream, "line.wav")
    progress(0.0, "listening")
    progress(1.0, "writing")
    progress.clear()
    shown = stream.getvalue().split("\r")
    assert "\n" not in stream.getvalue()
    assert shown[1] == "line.wav: listening 0 %"
    assert shown[2].rstrip() == "line.wav: writing 100 %"
    assert shown[3].strip() == ""
    assert len(shown[3]) >= len(shown[2].rstrip())


def test_a_name_that_the_terminal_cannot_show_is_escaped():
    stream = Terminal()
    ProgressLine(stream, "日本.wav")(0.5, "listening")
    assert "\\u65e5\\u672c.wav: listening 50 %" in stream.getvalue()
