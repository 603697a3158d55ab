"""Every DLL in the Windows zip loads and runs beside the C++ runtime of Blender 4.5 and 5.0."""

import json
import sys
from pathlib import Path

import pytest
from windows_imports import DATA, complaints, libraries, read_imports

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def windows_imports(build) -> dict:
    """Imports of every DLL and Python module in the wheels for Windows, with the names of those beside it."""
    found: dict = {}
    for wheel in build.collect_wheels("windows-x64", Path(sys.executable)):
        contents = libraries(wheel)
        beside = {Path(name).stem.lower() for name in contents}
        found |= {f"{wheel.name}/{name}": (read_imports(content), beside) for name, content in contents.items()}
    return found


@pytest.fixture(scope="module")
def recorded() -> dict:
    """C functions that onnxruntime's Windows modules import from MSVCP140, by the name of the wheel."""
    return json.loads((DATA / "onnxruntime_imports.json").read_text())


def test_every_library_of_the_zip_runs_beside_the_runtime_of_blender_45(windows_imports):
    assert {name: found for name, args in windows_imports.items() if (found := complaints(*args))} == {}


def test_the_libraries_that_were_read_are_those_of_both_pythons(windows_imports):
    # Nothing above would fail if no library were found.
    modules = {name.split("/")[-1] for name in windows_imports}
    assert {"onnxruntime_pybind11_state.pyd", "onnxruntime.dll", "espeak-ng.dll"} <= modules
    assert any(name.startswith("_pocketsphinx.") for name in modules)
    pythons = {library for imports, _ in windows_imports.values() for library in imports if "python" in library}
    assert pythons == {"python311", "python313"}
    assert all("kernel32" in imports for imports, _ in windows_imports.values())


@pytest.mark.parametrize(
    "wheel, call",
    [
        ("onnxruntime-1.21.0-cp311-cp311-win_amd64.whl", "_Mtx_lock without _Mtx_init_in_situ"),
        ("onnxruntime-1.32.0-cp311-cp311-win_amd64.whl", "_Cnd_wait without _Cnd_init_in_situ"),
    ],
)
def test_later_versions_of_onnxruntime_would_be_refused(recorded, wheel, call):
    assert any(sentence.startswith(call) for sentence in complaints(recorded[wheel], set()))


def test_the_record_of_the_bundled_version_is_what_its_wheel_imports(recorded, windows_imports):
    name = "onnxruntime-1.20.1-cp311-cp311-win_amd64.whl"
    imports, _ = windows_imports[f"{name}/onnxruntime/capi/onnxruntime_pybind11_state.pyd"]
    assert sorted(name for name in imports["msvcp140"] if name.startswith("_")) == recorded[name]["msvcp140"]
    assert complaints(recorded[name], set()) == []


@pytest.mark.parametrize(
    "imports, found",
    [
        ({"msvcp140": ["?new_function@std@@YAXXZ"]}, "msvcp140 14.29 has no ?new_function@std@@YAXXZ"),
        ({"msvcp140_atomic_wait": ["__std_atomic_wait_direct"]}, "neither Windows nor Blender 4.5 nor the wheel"),
        ({"vcomp140": ["omp_get_max_threads"]}, "neither Windows nor Blender 4.5 nor the wheel has vcomp140.dll"),
        ({"python312": []}, "python312.dll"),
        ({"python3": []}, "python3.dll"),  # not known to be in Blender's folder
    ],
)
def test_what_blender_45_does_not_bring_is_refused(imports, found):
    (sentence,) = complaints(imports, set())
    assert found in sentence
