"""Errors that are no fault of the code; the text of each is one sentence for the user."""


class EmoteError(Exception):
    """A sentence that says what was wrong, what was found and what to do."""


class InputError(EmoteError):
    """A file or an argument that the user gave cannot be used."""


class ModelError(EmoteError):
    """A model folder or a head folder is missing, incomplete or of another kind."""


class TrainingError(EmoteError):
    """A training cannot continue: no memory, no disk space, a loss of NaN. Its last checkpoint is intact."""


class Cancelled(EmoteError):
    """The user stopped the work; nothing was written."""
