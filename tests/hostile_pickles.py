"""What the tests of hostile files share: an object that pickles as a call, and the proof that nothing ran."""

import os
import sys

import pytest

CANARY = "EMOTE_TEST_CANARY"


class Evil:
    """Pickles as a call of any function with any arguments."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path, monkeypatch):
    """After each test: no canary file, no canary in the environment, no module imported by a pickle."""
    monkeypatch.delenv(CANARY, raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    assert CANARY not in os.environ
    assert not (tmp_path / "canary").exists()
    assert "this" not in sys.modules
