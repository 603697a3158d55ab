"""Which language a text is likely to be in, by the Python library py3langid."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..errors import ModelError

MOST_LETTERS = 20000  # characters; more would not change the guess


def language_scores(text: str) -> dict[str, float]:
    """Log-likelihood of a text in each language that py3langid knows, by its codes.

    Raises:
        ModelError: if py3langid is not installed.
    """
    return dict(_identifier().rank(text[:MOST_LETTERS]))


@cache
def _identifier() -> Any:
    """The identifier with its model, loaded once: 0.8 s and 100 MB."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ModuleNotFoundError as error:
        raise ModelError(
            "the language of the transcript cannot be guessed without the Python library py3langid; choose the "
            "language, or install the library or the add-on's zip that includes it"
        ) from error
    return LanguageIdentifier.from_model_file(MODEL_FILE)
