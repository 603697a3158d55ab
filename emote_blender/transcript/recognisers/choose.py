"""Which speech recogniser recognises a language: the one in the user's folder, else the one that is built in."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ...errors import ModelError
from .built_in import NAME, find_library, is_english
from .interface import Recogniser

# The recognisers are imported when one is opened: enabling the add-on needs none.
if TYPE_CHECKING:
    from .onnx_folder import OnnxFolderRecogniser
    from .pocketsphinx_english import PocketsphinxEnglish


def has_recogniser(language: str = "auto", folder: str = "") -> bool:
    """Whether there is a recogniser for a language; imports no library and reads no weights.

    Args:
        language: tag of the language, or "auto".
        folder: folder of a recogniser that the user chose; "" for none.
    """
    return bool(folder) or (is_english(language) and find_library() is not None)


def open_recogniser(language: str = "auto", folder: str = "") -> Recogniser:
    """The recogniser for a language, ready to use; kept for the next call.

    Args:
        language: tag of the language, or "auto".
        folder: folder of a recogniser that the user chose; "" for the one that is built in.

    Raises:
        ModelError: if there is none for the language, or it cannot be used.
    """
    if folder:
        recogniser = _in_folder(folder)
        if recogniser.understands(language) or not is_english(language):
            return recogniser
    if not is_english(language):
        raise ModelError(
            f"the built-in recogniser ({NAME}) understands en only, not {language}; choose a folder with a recogniser "
            "for this language in Preferences (or --recogniser), or write the transcript"
        )
    return _built_in()


@functools.cache
def _built_in() -> PocketsphinxEnglish:
    from .pocketsphinx_english import PocketsphinxEnglish

    return PocketsphinxEnglish()


@functools.lru_cache(maxsize=1)
def _in_folder(folder: str) -> OnnxFolderRecogniser:
    from .onnx_folder import OnnxFolderRecogniser

    return OnnxFolderRecogniser(folder)


def close_recogniser() -> None:
    """Drop the recogniser of a folder, whose files may change now."""
    _in_folder.cache_clear()
