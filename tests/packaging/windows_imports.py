"""What the DLLs in a wheel ask of Windows and of Blender, and whether Blender 4.5 and 5.0 can give it.

A process loads one MSVCP140.dll. Blender brings its own and loads it at start: version 14.29 in 4.5 and 5.0, 14.44 in
5.1 and later (their own DLLs were linked by these versions). From 14.40 on, `std::mutex` is set up by the compiler:
such code calls `_Mtx_lock` without `_Mtx_init_in_situ`, and MSVCP140 before 14.40 then reads through a null pointer.
The notes of Visual Studio 2022 17.10 say so; condition variables followed.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pefile

DATA = Path(__file__).resolve().parents[1] / "data" / "windows"
# Windows' own; api-ms-win-crt-* is the universal C runtime.
SYSTEM = frozenset(
    "kernel32 advapi32 user32 shell32 ole32 oleaut32 ws2_32 bcrypt ntdll version winmm".split()
    + "dbghelp setupapi dxgi dxcore".split()
)
BLENDERS_PYTHON = frozenset({"python311", "python313"})
# What a call needs to have been called before, in a program that serves a runtime before 14.40.
INITIALISERS = {
    "_Mtx_lock": "_Mtx_init_in_situ",
    "_Mtx_trylock": "_Mtx_init_in_situ",
    "_Mtx_timedlock": "_Mtx_init_in_situ",
    "_Cnd_wait": "_Cnd_init_in_situ",
    "_Cnd_timedwait": "_Cnd_init_in_situ",
    "_Cnd_signal": "_Cnd_init_in_situ",
    "_Cnd_broadcast": "_Cnd_init_in_situ",
}

Imports = dict[str, list[str]]


def runtime_exports() -> dict[str, list[str]]:
    """Exported names of the Visual C++ runtime by DLL (lower case, without .dll).

    Recorded from version 14.24 by record_runtime_exports.py; those of 14.44 are the same, hence also those of 14.29.
    """
    return json.loads(gzip.decompress((DATA / "runtime_exports.json.gz").read_bytes()))


def read_imports(content: bytes) -> Imports:
    """Imported names of a DLL by the DLL they come from (lower case, without .dll), those loaded on first use too."""
    image = pefile.PE(data=content, fast_load=True)
    image.parse_data_directories(
        [
            pefile.DIRECTORY_ENTRY[name]
            for name in ("IMAGE_DIRECTORY_ENTRY_IMPORT", "IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT")
        ]
    )
    entries = [*getattr(image, "DIRECTORY_ENTRY_IMPORT", []), *getattr(image, "DIRECTORY_ENTRY_DELAY_IMPORT", [])]
    return {
        entry.dll.decode().lower().removesuffix(".dll"): [name.name.decode() for name in entry.imports if name.name]
        for entry in entries
    }


def libraries(wheel: Path) -> dict[str, bytes]:
    """The DLLs and Python modules of a Windows wheel by their path in it."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: archive.read(name) for name in archive.namelist() if name.lower().endswith((".dll", ".pyd", ".exe"))
        }


def complaints(imports: Imports, beside: set[str]) -> list[str]:
    """Why a DLL would not load or would crash in Blender 4.5 or 5.0 on Windows; empty if nothing speaks against it.

    Args:
        imports: as `read_imports` gives them.
        beside: names of the DLLs of the same wheel, lower case and without .dll.
    """
    found = []
    exports = runtime_exports()
    for library, names in imports.items():
        if library in exports:
            found += [f"{library} 14.29 has no {name}" for name in names if name not in exports[library]]
        elif not (library in SYSTEM | BLENDERS_PYTHON | beside or library.startswith("api-ms-win-")):
            found.append(f"neither Windows nor Blender 4.5 nor the wheel has {library}.dll")
    called = set(imports.get("msvcp140", []))
    for call, initialiser in INITIALISERS.items():
        if call in called and initialiser not in called:
            found.append(f"{call} without {initialiser}: built for MSVCP140 14.40 or newer, which Blender 4.5 lacks")
    return found
