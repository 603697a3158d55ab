"""Download, use and remove a recogniser, and the folder in the preferences; from a server on this machine."""

import hashlib
import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from emote_blender.blender.jobs import worker
from emote_blender.blender.operators.recogniser import EMOTE_OT_download_recogniser
from emote_blender.blender.settings import recogniser_info as info_module
from emote_blender.blender.settings.recogniser_info import (
    addon_preferences,
    catalogue_lines,
    downloaded,
    recogniser_info,
)
from emote_blender.files import download
from emote_blender.transcript.recognisers import catalogue
from emote_blender.transcript.recognisers.catalogue import CATALOGUE, CatalogueFile, CatalogueModel

RECOGNISERS = Path(__file__).parents[2] / "data" / "recognisers"
TICK = SimpleNamespace(type="TIMER", value="NOTHING")


class Server(ThreadingHTTPServer):
    """Serves a folder, and waits in the middle of each graph while `go` is not set."""

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(root)))
        self.waiting, self.go = threading.Event(), threading.Event()
        self.go.set()


class Handler(SimpleHTTPRequestHandler):
    server: Server

    def copyfile(self, source, outputfile) -> None:
        content = source.read()
        half = len(content) // 2
        outputfile.write(content[:half])
        outputfile.flush()
        if self.path.endswith(".onnx"):
            self.server.waiting.set()
            self.server.go.wait(20)
        outputfile.write(content[half:])

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def preferences():
    """The add-on's preferences, with online access; as they were afterwards."""
    system = bpy.context.preferences.system
    was_online, system.use_online_access = system.use_online_access, True
    preferences = addon_preferences()
    yield preferences
    preferences.recogniser_folder = ""
    system.use_online_access = was_online


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server with one tiny recogniser, which is the only one of the catalogue."""
    root = tmp_path / "hub"
    source = root / "somebody" / "tiny" / "resolve" / ("0" * 40)
    shutil.copytree(RECOGNISERS / "whisper", source)
    server = Server(root)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    files = tuple(
        CatalogueFile(
            path.relative_to(source).as_posix(), path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in sorted(source.rglob("*.*"))
    )
    tiny = CatalogueModel("tiny", "Tiny", (), "2 languages", "MIT", "T by nobody", "somebody/tiny", "0" * 40, files)
    monkeypatch.setattr(download, "_SCHEMES", ("http",))
    monkeypatch.setattr(download, "_WAIT_SECONDS", (0.0,))
    monkeypatch.setattr(catalogue, "_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(info_module, "CATALOGUE", (tiny,))
    yield server
    server.go.set()
    worker.stop_all()
    server.shutdown()
    server.server_close()


def test_a_downloaded_recogniser_becomes_the_chosen_one(preferences, server, tmp_path):
    assert bpy.ops.emote.download_recogniser(name="tiny", directory=str(tmp_path)) == {"FINISHED"}
    assert preferences.recogniser_folder == str(tmp_path / "tiny")
    info = recogniser_info(preferences.recogniser_folder)
    assert info.problem == ""
    assert info.text.startswith("Tiny · quantized")
    assert "MIT" in info.text


def test_a_removed_recogniser_is_no_longer_chosen_and_other_files_stay(preferences, server, tmp_path):
    bpy.ops.emote.download_recogniser(name="tiny", directory=str(tmp_path))
    (tmp_path / "tiny" / "notes.txt").write_text("mine")
    assert bpy.ops.emote.remove_recogniser(name="tiny", directory=str(tmp_path)) == {"FINISHED"}
    assert preferences.recogniser_folder == ""
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["notes.txt"]
    with pytest.raises(RuntimeError, match="cannot be used|holds no .onnx file"):
        bpy.ops.emote.use_recogniser(name="tiny", directory=str(tmp_path))


def test_a_recogniser_that_was_downloaded_can_be_chosen_again_without_the_network(preferences, server, tmp_path):
    bpy.ops.emote.download_recogniser(name="tiny", directory=str(tmp_path))
    preferences.recogniser_folder = ""
    bpy.context.preferences.system.use_online_access = False
    assert bpy.ops.emote.use_recogniser(name="tiny", directory=str(tmp_path)) == {"FINISHED"}
    assert preferences.recogniser_folder == str(tmp_path / "tiny")


def test_nothing_is_downloaded_while_online_access_is_off(preferences, server, tmp_path):
    bpy.context.preferences.system.use_online_access = False
    assert not bpy.ops.emote.download_recogniser.poll()
    with pytest.raises(RuntimeError, match="Allow Online Access first"):
        bpy.ops.emote.download_recogniser(name="tiny", directory=str(tmp_path))
    assert not (tmp_path / "tiny").exists()


def test_a_file_that_differs_is_refused_and_nothing_is_chosen(preferences, server, tmp_path):
    graph = next(tmp_path.joinpath("hub").rglob("encoder_model_quantized.onnx"))
    graph.write_bytes(graph.read_bytes()[:-1] + b"?")
    with pytest.raises(RuntimeError, match="another checksum than announced"):
        bpy.ops.emote.download_recogniser(name="tiny", directory=str(tmp_path))
    assert preferences.recogniser_folder == ""
    assert not list((tmp_path / "tiny").rglob("encoder*"))


def test_an_unknown_recogniser_is_refused(preferences, server, tmp_path):
    with pytest.raises(RuntimeError, match="unknown recogniser 'nobody'; choose one of tiny"):
        bpy.ops.emote.download_recogniser(name="nobody", directory=str(tmp_path))


def test_a_locked_place_is_refused_in_one_sentence(preferences, server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match="unlock the folder"):
        bpy.ops.emote.download_recogniser(name="tiny", directory=str(tmp_path / "file"))


def test_without_the_extensions_folder_a_directory_is_needed(preferences, server):
    with pytest.raises(RuntimeError, match="only the add-on's zip has a folder for downloads"):
        bpy.ops.emote.download_recogniser(name="tiny")


@pytest.fixture
def press_download(monkeypatch, tmp_path):
    """A function that runs `script(operator, context)` inside the operator, in place of a window."""

    def press(script):
        with monkeypatch.context() as patched:
            patched.setattr(EMOTE_OT_download_recogniser, "execute", script)
            return bpy.ops.emote.download_recogniser(name="tiny", directory=str(tmp_path))

    return press


def test_escape_keeps_what_has_arrived_and_the_next_download_goes_on(preferences, server, tmp_path, press_download):
    server.go.clear()

    def script(operator, context):
        operator.start_job(operator.prepare(context))
        assert worker.running().title == "The download of Tiny"
        assert server.waiting.wait(20)
        operator.modal(context, SimpleNamespace(type="ESC", value="PRESS"))
        ended = operator.modal(context, TICK)
        server.go.set()
        assert operator._job.join(30)
        return ended

    assert press_download(script) == {"CANCELLED"}
    assert preferences.recogniser_folder == ""
    parts = list((tmp_path / "tiny").rglob("*.part"))
    assert len(parts) == 1
    assert "half downloaded" in recogniser_info(str(tmp_path / "tiny")).problem
    assert bpy.ops.emote.download_recogniser(name="tiny", directory=str(tmp_path)) == {"FINISHED"}
    assert recogniser_info(str(tmp_path / "tiny")).problem == ""


def test_the_preferences_say_why_a_folder_cannot_be_used(preferences, tmp_path):
    preferences.recogniser_folder = str(tmp_path)
    assert "is empty; choose a folder" in recogniser_info(preferences.recogniser_folder).problem


def test_a_relative_folder_becomes_absolute(preferences, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    preferences.recogniser_folder = "//recogniser"
    assert preferences.recogniser_folder == str(tmp_path / "recogniser")


def test_a_folder_is_read_again_when_it_is_chosen_again(preferences, tmp_path):
    folder = tmp_path / "r"
    preferences.recogniser_folder = str(folder)
    assert "not found" in recogniser_info(str(folder)).problem
    shutil.copytree(RECOGNISERS / "nemo_ctc", folder)
    preferences.recogniser_folder = str(folder)
    assert recogniser_info(str(folder)).text.startswith("NeMo CTC")


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.name)
def test_the_preferences_show_size_licence_checksum_and_author(model):
    title, facts, author = catalogue_lines(model)
    assert model.title in title
    assert model.languages_text in title
    assert re.fullmatch(rf"\d+ MB · {model.licence} · SHA-256 {model.largest.sha256[:16]}…", facts)
    assert author == model.attribution


def test_a_checkout_has_nothing_downloaded():
    assert [downloaded(model) for model in CATALOGUE] == ["", "", ""]
