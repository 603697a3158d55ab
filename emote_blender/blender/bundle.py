"""Checks of the bundled libraries: whether this zip is for this Blender, and whether its versions are in use.

All extensions share one site-packages: if two bring the same library, Blender installs the newer version for both. The
check runs when the add-on is enabled and its result is cached, since drawing must not read files.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import bpy

from .narrow import present

MANIFEST = "blender_manifest.toml"
_ONNXRUNTIME = "onnxruntime"
_OLDEST_ONNXRUNTIME = (1, 20)
# Later ones crash beside the C++ runtime that Blender 4.5 and 5.0 load on Windows (tests/packaging/windows_imports.py).
_NEWEST_FOR_OLD_RUNTIME = (1, 20)
_BLENDER_WITH_NEW_RUNTIME = (5, 1)
_OLDEST_MACOS = 13


@dataclass(frozen=True)
class BundleState:
    """The result of the check.

    Attributes:
        problem: why no speech model can run with these libraries; empty if they can.
        cautions: what may go wrong, one sentence each.
    """

    problem: str = ""
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """The system and the program that run this add-on.

    Attributes:
        python: major and minor version of Python.
        platform: Blender's name of the system, "linux-x64".
        macos: version of macOS, (13, 1); empty elsewhere.
        blender: version of Blender.
        is_64_bit: whether this is a 64-bit program.
    """

    python: tuple[int, int]
    platform: str
    macos: tuple[int, ...] = ()
    blender: tuple[int, ...] = (5, 2, 0)
    is_64_bit: bool = True

    @classmethod
    def this(cls) -> Host:
        """The present host."""
        system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
        machine = platform.machine().lower()
        return cls(
            python=sys.version_info[:2],
            platform=f"{system}-{({'amd64': 'x64', 'x86_64': 'x64', 'aarch64': 'arm64'}).get(machine, machine)}",
            macos=_numbers(platform.mac_ver()[0]),
            blender=tuple(bpy.app.version),
            is_64_bit=sys.maxsize > 2**32,
        )


_state = BundleState()


def state() -> BundleState:
    """The result of `check`."""
    return _state


def check() -> None:
    """Check the libraries of this installation; a checkout has no manifest and is not checked."""
    global _state
    folder = Path(__file__).parents[1]
    try:
        manifest = read_manifest(folder / MANIFEST)
    except FileNotFoundError:
        _state = BundleState()
        return
    extensions = present(bpy.context.preferences).extensions
    repositories = [Path(repo.directory) for repo in extensions.repos if repo.enabled and repo.directory]
    manifests = [path for repository in repositories for path in sorted(repository.glob(f"*/{MANIFEST}"))]
    _state = examine(manifest, Host.this(), manifests)


def read_manifest(path: Path) -> dict:
    """The manifest of an extension."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def examine(manifest: dict, host: Host, manifests: list[Path]) -> BundleState:
    """Check the libraries of an installed zip.

    Args:
        manifest: manifest of this extension.
        host: the system and the program.
        manifests: paths of all extensions' manifests; read only if another version of a library is in use.
    """
    unsupported = unsupported_sentence(manifest, host)
    if unsupported:
        return BundleState(unsupported)
    cautions = []
    in_use = installed_versions(sys.path)
    for library, version in wheels_for(manifest, host.python).items():
        found = in_use.get(library, version)  # what is missing altogether is for `requirements` to say
        if found == version:
            continue
        origin = origin_of(library, found, manifests)
        if library == _ONNXRUNTIME and (reason := _unusable(found, host)):
            return BundleState(f"Speech models cannot run here: {library} {found} {origin} {reason}")
        cautions.append(
            f"{library} {found} {origin} is in use instead of {version}, which EMOTE was tested with; "
            "if generating fails, disable that extension and restart Blender"
        )
    return BundleState("", tuple(cautions))


def unsupported_sentence(manifest: dict, host: Host) -> str:
    """Why a zip's libraries cannot run on this host; empty if they can."""
    if not host.is_64_bit:
        return "Speech models need a 64-bit Blender, and this one is 32-bit: install the 64-bit one"
    platforms = manifest.get("platforms", [])
    if platforms and host.platform not in platforms:
        return (
            f"This zip of EMOTE is for {' and '.join(platforms)}, and this system is {host.platform}: "
            "install the zip for this system"
        )
    if host.macos and host.macos[0] < _OLDEST_MACOS:
        found = ".".join(map(str, host.macos))
        return f"Speech models need macOS {_OLDEST_MACOS} or later, and this is macOS {found}: update the system"
    pythons = sorted({python for wheel in manifest.get("wheels", []) for python in _only_pythons(wheel)})
    if pythons and host.python not in pythons:
        supported = " and ".join(f"{major}.{minor}" for major, minor in pythons)
        return (
            f"The libraries of this zip of EMOTE are for Python {supported}, and this Blender has Python "
            f"{host.python[0]}.{host.python[1]}: install the EMOTE that was made for this Blender"
        )
    return ""


def wheels_for(manifest: dict, python: tuple[int, int]) -> dict[str, str]:
    """Versions of the libraries that a manifest lists for a Python, by name as in the file names of wheels."""
    versions = {}
    for wheel in manifest.get("wheels", []):
        name, version, *_ = Path(wheel).name.split("-")
        if python in (_only_pythons(wheel) or [python]):
            versions[_normalised(name)] = version
    return versions


def installed_versions(search_path: list[str]) -> dict[str, str]:
    """Versions of the importable libraries, by name, from the names of their metadata folders (a millisecond)."""
    versions: dict[str, str] = {}
    for folder in search_path:
        try:
            names = os.listdir(folder)
        except OSError:
            continue  # a zip file or a folder that is not there
        for name in names:
            if name.endswith(".dist-info"):
                library, _, version = name.removesuffix(".dist-info").partition("-")
                versions.setdefault(_normalised(library), version)
    return versions


def origin_of(library: str, version: str, manifests: list[Path]) -> str:
    """The source of a version of a library, as words for a sentence."""
    for path in manifests:
        try:
            manifest = read_manifest(path)
        except (OSError, ValueError):
            continue  # another extension's broken manifest is not ours to report
        for wheel in manifest.get("wheels", []):
            if [_normalised(part) for part in Path(wheel).name.split("-")[:2]] == [library, _normalised(version)]:
                return f"of the extension {manifest.get('name', path.parent.name)!r}"
    return "from outside Blender's extensions"


def _unusable(version: str, host: Host) -> str:
    """Why a version of onnxruntime cannot be used, as the end of a sentence; empty if it can."""
    release = _numbers(version)[:2]
    if release < _OLDEST_ONNXRUNTIME:
        return "is too old for them; disable what brought it and restart Blender"
    old_runtime = host.platform.startswith("windows") and host.blender < _BLENDER_WITH_NEW_RUNTIME
    if old_runtime and release > _NEWEST_FOR_OLD_RUNTIME:
        return "crashes Blender before 5.1 on Windows; disable what brought it and restart Blender"
    return ""


def _only_pythons(wheel: str) -> list[tuple[int, int]]:
    """The Python versions of a wheel, from its file name; empty if it is for any, or for all later ones (abi3)."""
    python_tags, abi_tag = Path(wheel).name.split("-")[-3:-1]
    if abi_tag == "abi3":
        return []
    return [(3, int(tag[3:])) for tag in python_tags.split(".") if re.fullmatch(r"cp3\d+", tag)]


def _normalised(name: str) -> str:
    """A library's name as in the file names of wheels."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers in a version: (1, 20, 1) of "1.20.1"."""
    return tuple(int(number) for number in re.findall(r"\d+", version))
