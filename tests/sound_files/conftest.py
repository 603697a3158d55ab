"""Both decoders, and one file of each kind."""

from pathlib import Path

import pytest
from made_files import KINDS

from emote_blender.sound_files.with_aud import AudSound
from emote_blender.sound_files.with_av import AvSound


def pytest_generate_tests(metafunc):
    """Run a test that asks for `decoder` with PyAV, and with Blender's own where there is Blender's module.

    PyAV has its turn on Blender 4.5 only; elsewhere `test_both_decoders_give_the_same` reads every kind with it.
    """
    if "decoder" in metafunc.fixturenames:
        decoders = [pytest.param(AvSound, marks=pytest.mark.once), AudSound]
        metafunc.parametrize("decoder", decoders, indirect=True, ids=["av", "aud"])


@pytest.fixture
def decoder(request):
    """A decoder to give to `load_audio` and `load_part`."""
    if request.param is AudSound:
        pytest.importorskip("bpy", reason="aud is a part of Blender's Python module")
    return request.param


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A function of a kind's name that gives a file of this kind, made once."""
    folder = tmp_path_factory.mktemp("kinds")

    def make(name: str) -> Path:
        path = folder / name
        return path if path.exists() else KINDS[name].write(path)

    return make
