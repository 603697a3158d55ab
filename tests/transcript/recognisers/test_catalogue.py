"""The recognisers that can be downloaded: their entries, and a download from a server on this machine."""

import hashlib
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emote_blender.errors import ModelError
from emote_blender.files import download
from emote_blender.transcript.recognisers import catalogue
from emote_blender.transcript.recognisers.catalogue import (
    CATALOGUE,
    CatalogueFile,
    CatalogueModel,
    download_recogniser,
)
from emote_blender.transcript.recognisers.onnx_families import FAMILIES, find_onnx_model

RECOGNISERS = Path(__file__).parents[2] / "data" / "recognisers"


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.name)
def test_entries_are_complete(model):
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", model.name)
    assert re.fullmatch("[0-9a-f]{40}", model.revision)
    assert model.licence in ("Apache-2.0", "MIT", "CC-BY-4.0")
    assert " by " in model.attribution
    for file in model.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert 0 < file.num_bytes < 1 << 30
        assert re.fullmatch(r"(onnx/)?[A-Za-z0-9_][\w.-]*", file.place)


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.name)
def test_entries_have_the_files_of_a_family(model):
    names = {Path(file.place).name for file in model.files}
    complete = [
        family
        for family in FAMILIES
        if set(family.texts.values()) <= names
        and all(any(re.fullmatch(rf"{graph.file}[._]\w+\.onnx", name) for name in names) for graph in family.graphs)
    ]
    assert complete
    assert "config.json" in names


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A catalogue's entry of a tiny recogniser on a server of this machine."""
    root = tmp_path / "hub"
    source = root / "somebody" / "tiny" / "resolve" / ("0" * 40)
    source.parent.mkdir(parents=True)
    source.symlink_to(RECOGNISERS / "whisper")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(download, "_SCHEMES", ("http",))
    monkeypatch.setattr(catalogue, "_HOST", f"http://127.0.0.1:{server.server_port}")
    files = tuple(
        CatalogueFile(
            path.relative_to(RECOGNISERS / "whisper").as_posix(),
            path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in sorted((RECOGNISERS / "whisper").rglob("*.*"))
    )
    yield CatalogueModel("tiny", "Tiny", (), "2 languages", "MIT", "Tiny by nobody", "somebody/tiny", "0" * 40, files)
    server.shutdown()
    server.server_close()


def test_a_downloaded_recogniser_can_be_opened_and_names_its_licence(served, tmp_path):
    download_recogniser(served, tmp_path / "tiny")
    found = find_onnx_model(tmp_path / "tiny")
    assert (found.name, found.card["licence"], found.card["attribution"]) == ("Tiny", "MIT", "Tiny by nobody")
    assert found.family.name == "Whisper"


def test_half_a_download_is_no_recogniser(served, tmp_path):
    seen = []
    with pytest.raises(Exception, match="cancelled"):
        download_recogniser(
            served, tmp_path / "tiny", lambda fraction, _: seen.append(fraction), lambda: bool(seen) and seen[-1] > 0.3
        )
    with pytest.raises(ModelError):
        find_onnx_model(tmp_path / "tiny")
    download_recogniser(served, tmp_path / "tiny")
    assert find_onnx_model(tmp_path / "tiny")
