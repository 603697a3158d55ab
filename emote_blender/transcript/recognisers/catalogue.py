"""Speech recognisers that can be downloaded: where from, under which licence, and the checksum of every file.

Each is a fixed revision of a public repository on Hugging Face. Its sizes and checksums are pinned by several public
projects, which agree; a file that differs is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...files.atomic_write import write_json
from .interface import IsCancelled, Progress
from .onnx_families import CARD_FILE, find_onnx_model

_HOST = "https://huggingface.co"
_PARAKEET_LANGUAGES = "bg hr cs da nl en et fi fr de el hu it lv lt mt pl pt ro sk sl es sv ru uk"


@dataclass(frozen=True)
class CatalogueFile:
    """A file of a recogniser.

    Attributes:
        place: its path in the repository and below the folder.
        num_bytes: its size.
        sha256: its checksum, 64 hexadecimal digits.
    """

    place: str
    num_bytes: int
    sha256: str


@dataclass(frozen=True)
class CatalogueModel:
    """A recogniser that can be downloaded.

    Attributes:
        name: its identifier, and the name of its folder.
        title: its name, for people.
        languages: tags of its languages; empty if it finds out by itself which of very many is spoken.
        languages_text: its languages, for people.
        licence: SPDX identifier.
        attribution: whom to name, and what was changed.
        repository: of the hub.
        revision: the commit.
        files: its files.
    """

    name: str
    title: str
    languages: tuple[str, ...]
    languages_text: str
    licence: str
    attribution: str
    repository: str
    revision: str
    files: tuple[CatalogueFile, ...]

    @property
    def num_bytes(self) -> int:
        """Size of all files."""
        return sum(file.num_bytes for file in self.files)

    @property
    def largest(self) -> CatalogueFile:
        """The file that most of the download is."""
        return max(self.files, key=lambda file: file.num_bytes)

    @property
    def page(self) -> str:
        """Address of the repository at this revision."""
        return f"{_HOST}/{self.repository}/tree/{self.revision}"


_WHISPER_TEXTS = (
    CatalogueFile("vocab.json", 1_036_584, "50d6a919f0a0601d56a04eb583c780d18553aa388254ba3158eb6a00f13e2c1a"),
    CatalogueFile("added_tokens.json", 34_604, "9715fd2243b6f06a5858b5e32950d2853f73dd5bc201aafcf76f5082a2d8acd1"),
)


def _whisper(
    size: str, revision: str, config: tuple[int, str], encoder: tuple[int, str], decoder: tuple[int, str]
) -> CatalogueModel:
    """A Whisper model of onnx-community; of the files that differ with its size, the bytes and the checksum."""
    return CatalogueModel(
        name=f"whisper-{size.lower()}",
        title=f"Whisper {size}",
        languages=(),
        languages_text="98 languages",
        licence="Apache-2.0",
        attribution="Whisper by OpenAI, converted to ONNX and to 8 bits by onnx-community",
        repository=f"onnx-community/whisper-{size.lower()}",
        revision=revision,
        files=(
            CatalogueFile("config.json", *config),
            *_WHISPER_TEXTS,
            CatalogueFile("onnx/encoder_model_quantized.onnx", *encoder),
            CatalogueFile("onnx/decoder_model_merged_quantized.onnx", *decoder),
        ),
    )


CATALOGUE = (
    CatalogueModel(
        name="parakeet-tdt-0.6b-v3",
        title="Parakeet TDT 0.6B v3",
        languages=tuple(_PARAKEET_LANGUAGES.split()),
        languages_text="25 European languages",
        licence="CC-BY-4.0",
        attribution="Parakeet TDT 0.6B v3 by NVIDIA, converted to ONNX and to 8 bits by Ilya Stupakov",
        repository="istupakov/parakeet-tdt-0.6b-v3-onnx",
        revision="8f23f0c03c8761650bdb5b40aaf3e40d2c15f1ce",
        files=(
            CatalogueFile("config.json", 97, "666903c76b9798caf2c210afd4f6cd60b08a8dbf9800ec8d7a3bc0d2148ac466"),
            CatalogueFile("vocab.txt", 93_939, "d58544679ea4bc6ac563d1f545eb7d474bd6cfa467f0a6e2c1dc1c7d37e3c35d"),
            CatalogueFile(
                "decoder_joint-model.int8.onnx",
                18_202_004,
                "eea7483ee3d1a30375daedc8ed83e3960c91b098812127a0d99d1c8977667a70",
            ),
            CatalogueFile(
                "encoder-model.int8.onnx",
                652_183_999,
                "6139d2fa7e1b086097b277c7149725edbab89cc7c7ae64b23c741be4055aff09",
            ),
        ),
    ),
    _whisper(
        "Base",
        "1846881b6b3a3024392c1eea3ad983695bc23925",
        config=(2_243, "f4d0608f7d918166da7edb3e188de5ef1bfe70d9802e785d271fd88111e9cf4b"),
        encoder=(23_201_314, "5862993336bf33acd23736071aae2b32261d3b1b2f37780194460d4ef974dd46"),
        decoder=(53_693_315, "fa3ef9902734ce5ae6f9ef2bdb2ba9a6c4b5785b09f4f420ce036573dc9d090b"),
    ),
    _whisper(
        "Small",
        "36050c46d777d46dc4b5f43f6d90574fc38f8732",
        config=(2_227, "457854d452f17661e197d74aee12b8e74fb75ba30ebfaa7426d0d61ea1e08a18"),
        encoder=(92_326_160, "a43a83f3c5361cd591cfa7c36f14b43cf7cb22f47a415cc14a8d557be800fa92"),
        decoder=(156_750_845, "ec07c3cbb64172c39791e26ee870a65ac22b458c36722bfe2776b3dbf741e0c9"),
    ),
)


def download_recogniser(
    model: CatalogueModel, folder: Path, progress: Progress | None = None, cancelled: IsCancelled | None = None
) -> None:
    """Download a recogniser into its folder, with a card that names its licence and origin.

    Args:
        model: one of CATALOGUE.
        folder: the recogniser's own folder.
        progress: called with a fraction 0 to 1 and a text.
        cancelled: called several times a second.

    Raises:
        InputError: if the network, the server or the disk fails; what has arrived is kept.
        ModelError: if the folder holds other files that make it no recogniser.
        Cancelled: if `cancelled` returns True; the next call goes on.
    """
    from ...files.download import RemoteFile, download_files  # here, as Python's HTTP takes long to import

    files = [
        RemoteFile(
            f"{_HOST}/{model.repository}/resolve/{model.revision}/{file.place}", file.place, file.num_bytes, file.sha256
        )
        for file in model.files
    ]
    download_files(files, folder, progress, cancelled)
    card = {
        "title": model.title,
        "languages": list(model.languages),
        "licence": model.licence,
        "attribution": model.attribution,
        "source": model.page,
        "files": {file.place: {"bytes": file.num_bytes, "sha256": file.sha256} for file in model.files},
    }
    write_json(folder / CARD_FILE, card)
    find_onnx_model(folder)
