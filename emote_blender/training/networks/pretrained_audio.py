"""Pretrained Wav2Vec 2.0 weights from Hugging Face for EMOTE's audio encoder (spec/EMOTE.md 2)."""

from __future__ import annotations

from pathlib import Path

from ...emote.audio_encoder import AudioEncoder
from ...emote.wav2vec2 import Wav2Vec2Encoder
from ...errors import InputError


def load_pretrained_audio(encoder: AudioEncoder, name_or_folder: str) -> None:
    """Copy pretrained weights into an encoder; heads on top of the model, such as CTC's, are left out.

    Args:
        encoder: a `Wav2Vec2Encoder` with the same architecture.
        name_or_folder: a folder with `config.json` and weights, or a name on the Hub ("facebook/wav2vec2-base-960h"),
            which Hugging Face's library downloads once.

    Raises:
        InputError: the weights cannot be read or do not fit the architecture.
    """
    if not isinstance(encoder, Wav2Vec2Encoder):
        raise InputError("[start] audio_encoder: these are weights of Wav2Vec 2.0, but [model.audio_encoder] is not")
    state = _read(name_or_folder)
    expected = encoder.model.state_dict()
    for name in [*expected, *state]:
        if name not in state or name not in expected or state[name].shape != expected[name].shape:
            raise InputError(
                f"{name_or_folder} does not fit [model.audio_encoder]: {name} is missing, unexpected or of another "
                "size; give the architecture of its config.json there"
            )
    encoder.model.load_state_dict(state)


def _read(name_or_folder: str) -> dict:
    """The state dict of the published model, under the names of `Wav2Vec2Model`."""
    from transformers import Wav2Vec2Model

    folder = Path(name_or_folder).expanduser()
    source = str(folder) if folder.is_dir() else name_or_folder
    try:
        model, report = Wav2Vec2Model.from_pretrained(source, output_loading_info=True)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name_or_folder} cannot be read as a Wav2Vec 2.0 model ({reason}); give a folder with config.json and "
            "model.safetensors, or a name on the Hugging Face Hub"
        ) from error
    missing = set(report["missing_keys"]) - {"masked_spec_embed"}  # not trained in every model, then drawn at random
    if missing:
        raise InputError(f"{name_or_folder} lacks weights of Wav2Vec 2.0: {', '.join(sorted(missing)[:3])}")
    return model.state_dict()
