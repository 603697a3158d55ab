"""Downloads from a server on this machine that behaves badly in every known way."""

import hashlib
import shutil
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from emote_blender.errors import Cancelled, InputError
from emote_blender.files import download
from emote_blender.files.download import RemoteFile, download_files

CONTENT = np.random.default_rng(1).bytes(3_000_000)


class Server(ThreadingHTTPServer):
    """Serves `content` under any path; `faults` says what goes wrong, one entry per request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.faults: list[str] = []
        self.ranges: list[str | None] = []  # what was asked for


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        content, start, code = self.server.content, 0, 200
        if fault.isdigit():
            self.send_response(int(fault))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if fault.startswith("to "):
            self.send_response(302)
            self.send_header("Location", fault[3:])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if fault == "page":
            content = b"<html>Please sign in</html>"
        if self.headers.get("Range") and fault != "no ranges":
            start, code = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-")), 206
        if fault == "other place":
            start = start // 2
        self.send_response(code)
        self.send_header("Content-Type", "text/html" if fault == "page" else "application/octet-stream")
        self.send_header("Content-Length", str(len(content) - start))
        if code == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        stop = start + (len(content) - start) // 2 if fault == "dies" else len(content)
        self.wfile.write(content[start : start if fault == "mute" else stop])
        if fault in ("dies", "mute"):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server(monkeypatch):
    """A server, and downloads that accept it and wait for nothing."""
    server = Server()
    monkeypatch.setattr(download, "_SCHEMES", ("http",))
    monkeypatch.setattr(download, "_WAIT_SECONDS", (0.0, 0.0))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)  # seconds to its end
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def remote(server, place: str = "onnx/model.onnx", content: bytes = CONTENT) -> RemoteFile:
    url = f"http://127.0.0.1:{server.server_port}/{place}"
    return RemoteFile(url, place, len(content), hashlib.sha256(content).hexdigest())


def files_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_downloaded_into_its_subfolder(server, tmp_path):
    reports = []
    download_files([remote(server)], tmp_path / "new", lambda *report: reports.append(report))
    assert (tmp_path / "new" / "onnx" / "model.onnx").read_bytes() == CONTENT
    assert files_in(tmp_path) == {"model.onnx": len(CONTENT)}
    fractions = [fraction for fraction, text in reports if text.startswith("Downloading")]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert len(fractions) > 5


def test_what_is_there_already_is_not_downloaded_again(server, tmp_path):
    files = [remote(server, "a.onnx"), remote(server, "b.onnx")]
    (tmp_path / "a.onnx").write_bytes(CONTENT)
    (tmp_path / "b.onnx").write_bytes(CONTENT[:-1] + b"?")
    download_files(files, tmp_path)
    assert len(server.ranges) == 1
    assert files_in(tmp_path) == {"a.onnx": len(CONTENT), "b.onnx": len(CONTENT)}
    assert (tmp_path / "b.onnx").read_bytes() == CONTENT


def test_a_connection_that_ends_goes_on_where_it_ended(server, tmp_path):
    server.faults = ["dies", "dies", "dies", "dies", ""]
    download_files([remote(server)], tmp_path)
    assert (tmp_path / "onnx" / "model.onnx").read_bytes() == CONTENT
    starts = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in server.ranges[1:]]
    assert starts == sorted(starts)
    assert starts[0] == len(CONTENT) // 2


def test_a_cancelled_download_keeps_what_has_arrived_and_goes_on(server, tmp_path):
    arrived: list[float] = []

    def cancelled() -> bool:
        return bool(arrived) and arrived[-1] > 0.3

    with pytest.raises(Cancelled, match="goes on where it ended"):
        download_files([remote(server)], tmp_path, lambda fraction, _: arrived.append(fraction), cancelled)
    part = tmp_path / "onnx" / "model.onnx.part"
    kept = part.stat().st_size
    assert 0.2 * len(CONTENT) < kept < 0.6 * len(CONTENT)
    assert files_in(tmp_path) == {"model.onnx.part": kept}
    download_files([remote(server)], tmp_path)
    assert server.ranges == [None, f"bytes={kept}-"]
    assert (tmp_path / "onnx" / "model.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize("fault", ["no ranges", "416", "other place"])
def test_a_server_that_does_not_continue_begins_anew(server, tmp_path, fault):
    (tmp_path / "m.onnx.part").write_bytes(CONTENT[:1000])
    server.faults = [fault]
    download_files([remote(server, "m.onnx")], tmp_path)
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"of another file", b"x" * (len(CONTENT) + 1), b"x" * len(CONTENT), b""])
def test_a_part_of_another_file_is_left(server, tmp_path, part):
    (tmp_path / "m.onnx.part").write_bytes(part)
    download_files([remote(server, "m.onnx")], tmp_path)
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.faults = ["503", "429"]
    download_files([remote(server)], tmp_path)
    assert len(server.ranges) == 3


def test_a_redirection_is_followed(server, tmp_path):
    server.faults = [f"to http://127.0.0.1:{server.server_port}/elsewhere"]
    download_files([remote(server)], tmp_path)
    assert files_in(tmp_path) == {"model.onnx": len(CONTENT)}


def test_a_redirection_goes_on_where_the_download_ended(server, tmp_path):
    (tmp_path / "m.onnx.part").write_bytes(CONTENT[:1000])
    server.faults = [f"to http://127.0.0.1:{server.server_port}/elsewhere"]
    download_files([remote(server, "m.onnx")], tmp_path)
    assert server.ranges == ["bytes=1000-"] * 2
    assert (tmp_path / "m.onnx").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "faults, sentence",
    [
        (["404"], "does not give onnx/model.onnx .HTTP 404"),
        (["401"], "HTTP 401"),
        (["500"] * 5, "does not answer .HTTP 500"),
        (["mute"] * 5, "the connection ended at 0 of 3000000 bytes"),
        (["page"], "gives 27 bytes of text/html .* sign-in"),
        (["to ftp://127.0.0.1/x"], "no address that starts with http"),
        (["to file:///etc/passwd"], "is not allowed"),
    ],
)
def test_a_server_that_has_no_such_file_is_reported_in_one_sentence(server, tmp_path, faults, sentence):
    server.faults = list(faults)
    with pytest.raises(InputError, match=sentence) as raised:
        download_files([remote(server)], tmp_path)
    assert "\n" not in str(raised.value)
    assert "model.onnx" not in files_in(tmp_path)


def test_a_changed_file_is_deleted(server, tmp_path):
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(InputError, match="another checksum than announced"):
        download_files([remote(server, content=CONTENT[:-1] + b"!")], tmp_path)
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("size", [len(CONTENT) - 5, len(CONTENT) + 5])
def test_another_size_than_announced_is_refused(server, tmp_path, size):
    expected = remote(server)
    server.content = (CONTENT + b"12345")[:size]
    with pytest.raises(InputError, match=f"gives {size} bytes of application/octet-stream"):
        download_files([expected], tmp_path)
    assert files_in(tmp_path) == {}


def test_no_server_is_one_sentence(server, tmp_path):
    file = remote(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="127.0.0.1 cannot be reached or does not answer .*refused"):
        download_files([file], tmp_path)


def test_an_unknown_name_is_one_sentence(server, tmp_path):
    with pytest.raises(InputError, match="nowhere.invalid cannot be reached"):
        download_files([RemoteFile("http://nowhere.invalid/x", "x", 1, "0" * 64)], tmp_path)


def test_only_encrypted_connections_are_used(tmp_path):
    with pytest.raises(InputError, match="starts with https://; nothing was downloaded"):
        download_files([RemoteFile("http://127.0.0.1:9/x", "x", 1, "0" * 64)], tmp_path)


def test_the_target_of_a_redirection_is_checked_too(server, tmp_path, monkeypatch):
    file = remote(server)
    server.faults = [f"to http://127.0.0.1:{server.server_port}/open"]
    asked = []
    check = download._check_scheme

    def checked(url: str) -> None:
        asked.append(url)
        check(url)

    monkeypatch.setattr(download, "_check_scheme", checked)
    download_files([file], tmp_path)
    assert [url.rpartition("/")[2] for url in asked] == ["model.onnx", "open"]


def test_a_disk_without_room_is_refused_before_anything_is_written(server, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    with pytest.raises(InputError, match="has 1 MB of free space, and 66 MB are needed"):
        download_files([remote(server)], tmp_path)
    assert server.ranges == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a file to which nothing can be written")
def test_a_disk_that_becomes_full_is_one_sentence(server, tmp_path):
    (tmp_path / "m.onnx.part").symlink_to("/dev/full")
    with pytest.raises(InputError, match="the disk of .* is full; make room"):
        download_files([remote(server, "m.onnx")], tmp_path)


def test_a_folder_that_cannot_be_made_is_one_sentence(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written .*; unlock the folder"):
        download_files([remote(server)], tmp_path / "file" / "below")


def test_cancelling_before_the_start_asks_no_server(server, tmp_path):
    with pytest.raises(Cancelled):
        download_files([remote(server)], tmp_path, cancelled=lambda: True)
    assert server.ranges == []
