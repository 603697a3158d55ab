"""What is said where the zip's libraries cannot be used, or are not the ones in use."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from counted_steps import counted_steps

from emote_blender.blender import bundle
from emote_blender.blender.bundle import BundleState, Host, examine, unsupported_sentence, wheels_for

LINUX = "manylinux_2_27_x86_64.manylinux_2_28_x86_64"
MANIFEST = {
    "platforms": ["linux-x64"],
    "wheels": [
        f"./wheels/onnxruntime-1.20.1-cp311-cp311-{LINUX}.whl",
        f"./wheels/onnxruntime-1.20.1-cp313-cp313-{LINUX}.whl",
        f"./wheels/some_thing-2.0-cp312-abi3-{LINUX}.whl",
        f"./wheels/espeakng_loader-0.2.4-py3-none-{LINUX}.whl",
    ],
}
HOST = Host(python=(3, 11), platform="linux-x64", blender=(4, 5, 15))


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A function that lets libraries be installed in given versions, as pip and Blender leave them."""

    def install(**versions: str) -> None:
        for name, version in versions.items():
            (tmp_path / "site" / f"{name}-{version}.dist-info").mkdir(parents=True)
        monkeypatch.setattr(sys, "path", [str(tmp_path / "no such folder"), str(tmp_path / "site"), *sys.path])

    return install


def write_manifest(folder: Path, name: str, *wheels: str) -> Path:
    """The manifest of another extension."""
    path = folder / name.lower() / "blender_manifest.toml"
    path.parent.mkdir()
    path.write_text(f"name = {name!r}\nwheels = {list(wheels)!r}\n", encoding="utf-8")
    return path


def test_the_bundled_versions_in_use_need_no_word(installed):
    installed(onnxruntime="1.20.1", espeakng_loader="0.2.4")
    assert examine(MANIFEST, HOST, []) == BundleState()


def test_a_library_that_is_missing_is_not_a_clash(installed):
    installed()
    assert examine(MANIFEST, HOST, []) == BundleState()


def test_another_version_is_said_with_the_extension_that_brought_it(installed, tmp_path):
    installed(onnxruntime="1.22.0", espeakng_loader="0.2.4")
    manifests = [
        write_manifest(tmp_path, "Older", "./wheels/onnxruntime-1.19.2-cp311-cp311-any.whl"),
        write_manifest(
            tmp_path, "Bumps", "./wheels/numpy-2.0-cp311-cp311-any.whl", "./w/onnxruntime-1.22.0-cp311-cp311-any.whl"
        ),
    ]
    state = examine(MANIFEST, HOST, manifests)
    assert state.problem == ""
    (sentence,) = state.cautions
    assert sentence.startswith("onnxruntime 1.22.0 of the extension 'Bumps' is in use instead of 1.20.1")
    assert "disable that extension and restart Blender" in sentence


def test_names_of_libraries_are_compared_as_pip_does(installed, tmp_path):
    installed(espeakng_loader="0.3.0")
    manifests = [write_manifest(tmp_path, "Voices", "./wheels/Espeakng.Loader-0.3.0-py3-none-any.whl")]
    assert "of the extension 'Voices'" in examine(MANIFEST, HOST, manifests).cautions[0]


def test_a_broken_manifest_of_another_extension_is_passed_over(installed, tmp_path):
    installed(onnxruntime="1.22.0")
    broken = tmp_path / "blender_manifest.toml"
    broken.write_text("name = ", encoding="utf-8")
    assert "from outside Blender's extensions" in examine(MANIFEST, HOST, [broken]).cautions[0]


def test_a_version_that_is_too_old_stops_speech_models(installed, tmp_path):
    installed(onnxruntime="1.17.3")
    state = examine(MANIFEST, HOST, [])
    assert "onnxruntime 1.17.3 from outside Blender's extensions is too old" in state.problem


@pytest.mark.parametrize(
    "platform, blender, crashes",
    [
        ("windows-x64", (4, 5, 15), True),
        ("windows-x64", (5, 0, 1), True),
        ("windows-x64", (5, 1, 0), False),
        ("linux-x64", (4, 5, 15), False),
    ],
)
def test_a_version_that_would_crash_blender_on_windows_is_not_loaded(installed, platform, blender, crashes):
    installed(onnxruntime="1.21.0")
    manifest = {**MANIFEST, "platforms": [platform]}
    state = examine(manifest, replace(HOST, platform=platform, blender=blender), [])
    assert ("crashes Blender before 5.1" in state.problem) == crashes
    assert bool(state.cautions) != crashes


@pytest.mark.parametrize(
    "change, found",
    [
        ({"python": (3, 12)}, "for Python 3.11 and 3.13, and this Blender has Python 3.12"),
        ({"platform": "windows-arm64"}, "is for linux-x64, and this system is windows-arm64"),
        ({"is_64_bit": False}, "need a 64-bit Blender"),
        ({"macos": (12, 6)}, "need macOS 13 or later, and this is macOS 12.6"),
    ],
)
def test_a_host_that_the_zip_is_not_for_gets_one_sentence(change, found):
    sentence = unsupported_sentence(MANIFEST, replace(HOST, **change))
    assert found in sentence
    assert "\n" not in sentence
    assert ": " in sentence  # what to do follows
    assert examine(MANIFEST, replace(HOST, **change), []).problem == sentence


@pytest.mark.parametrize("change", [{}, {"python": (3, 13)}, {"macos": (13, 0)}])
def test_a_host_that_the_zip_is_for_gets_none(change):
    assert unsupported_sentence(MANIFEST, replace(HOST, **change)) == ""


def test_the_versions_are_those_of_the_wheels_for_this_python():
    manifest = {
        "wheels": ["./w/a-1.0-cp311-cp311-any.whl", "./w/a-2.0-cp313-cp313-any.whl", "./w/b-3-py3-none-any.whl"]
    }
    assert wheels_for(manifest, (3, 11)) == {"a": "1.0", "b": "3"}
    assert wheels_for(manifest, (3, 13)) == {"a": "2.0", "b": "3"}


def test_this_host_is_described_as_blender_does():
    host = Host.this()
    system, machine = host.platform.split("-")
    assert system in ("linux", "windows", "macos")
    assert machine in ("x64", "arm64")
    assert host.is_64_bit


def test_a_checkout_has_nothing_to_check():
    bundle.check()
    assert bundle.state() == BundleState()


def test_the_first_folder_of_the_path_counts(tmp_path):
    for folder, version in (("a", "2.0"), ("b", "1.0")):
        (tmp_path / folder / f"Some_Thing-{version}.dist-info").mkdir(parents=True)
    found = bundle.installed_versions([str(tmp_path / "a"), str(tmp_path / "b")])
    assert found == {"some_thing": "2.0"}


def test_looking_takes_a_few_steps_for_each_library(tmp_path):
    site = tmp_path / "site"
    for number in range(300):
        (site / f"library_{number}-1.0.dist-info").mkdir(parents=True)
    steps = counted_steps(bundle.installed_versions, [str(site)])
    assert steps < 300 * 25
