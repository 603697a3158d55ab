"""Whether this zip is for this Blender, and whether the libraries that it brought are the ones in use.

All extensions share one site-packages: where two bring the same library, Blender installs the newer version for both.
What is found when the add-on is enabled is kept, since drawing must not look at files.
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
    """What was found when the add-on was enabled.

    Attributes:
        problem: why no speech model can run with these libraries; empty if nothing is in the way.
        cautions: what may go wrong, one sentence each.
    """

    problem: str = ""
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """What runs this add-on.

    Attributes:
        python: major and minor version.
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
        """The one that runs this."""
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
    """What `check` found."""
    return _state


def check() -> None:
    """Look whether the libraries of this installation can be used; a checkout, which has no manifest, has none."""
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
    """An extension's manifest."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def examine(manifest: dict, host: Host, manifests: list[Path]) -> BundleState:
    """What speaks against the libraries of an installed zip.

    Args:
        manifest: of this extension.
        host: what runs it.
        manifests: of all installed extensions; read only where another version of a library is in use.
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
    """Versions of the libraries that a manifest lists for a Python, by their names as in wheels' file names."""
    versions = {}
    for wheel in manifest.get("wheels", []):
        name, version, *_ = Path(wheel).name.split("-")
        if python in (_only_pythons(wheel) or [python]):
            versions[_normalised(name)] = version
    return versions


def installed_versions(search_path: list[str]) -> dict[str, str]:
    """Versions of the libraries that would be imported, from the names of the folders beside them (a millisecond)."""
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
    """Where a version of a library comes from, as words for a sentence."""
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
    """Why a version of onnxruntime cannot be used, to follow its name; empty if it can."""
    release = _numbers(version)[:2]
    if release < _OLDEST_ONNXRUNTIME:
        return "is too old for them; disable what brought it and restart Blender"
    old_runtime = host.platform.startswith("windows") and host.blender < _BLENDER_WITH_NEW_RUNTIME
    if old_runtime and release > _NEWEST_FOR_OLD_RUNTIME:
        return "crashes Blender before 5.1 on Windows; disable what brought it and restart Blender"
    return ""


def _only_pythons(wheel: str) -> list[tuple[int, int]]:
    """The Pythons that a wheel is for by its file name; empty if it is for any, or for that and later ones (abi3)."""
    python_tags, abi_tag = Path(wheel).name.split("-")[-3:-1]
    if abi_tag == "abi3":
        return []
    return [(3, int(tag[3:])) for tag in python_tags.split(".") if re.fullmatch(r"cp3\d+", tag)]


def _normalised(name: str) -> str:
    """A library's name as in the file names of wheels."""
    return re.sub(r"[-_.]+", "_", name).lower()


def _numbers(version: str) -> tuple[int, ...]:
    """(1, 20, 1) of "1.20.1"; what is no number is left out."""
    return tuple(int(number) for number in re.findall(r"\d+", version))
