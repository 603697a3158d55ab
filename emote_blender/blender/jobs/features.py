"""Features of the sounds of this sitting, and of earlier ones: a sound is decoded and encoded once."""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ...errors import ModelError
from ...transcript.timed_transcript import TimedTranscript
from ..scene.strips import FileSound, StripSound
from ..settings.models_folder import ROOT_PACKAGE

if TYPE_CHECKING:
    from ...pipeline import AudioFeatures, EMOTEPipeline, FeatureCache, RenderedWindows

_MOST_KNOWN = 4096
_MOST_RENDERED = 8  # sounds whose rendered windows are kept

_cache: FeatureCache | None = None
# Key, length and warnings of sounds, so that one that is known is not even decoded.
_known: dict[tuple, tuple[str, float, tuple[str, ...]]] = {}
_rendered: OrderedDict[str, RenderedWindows] = OrderedDict()


@dataclass(frozen=True, eq=False)
class EncodedSound:
    """A sound as the model encodes it.

    Attributes:
        key: by which `known` finds it again.
        features: its features.
        seconds: the sound's length.
        rendered: windows of it that were rendered in this sitting.
        warnings: what is wrong with the sound, see `Waveform`.
    """

    key: str
    features: AudioFeatures
    seconds: float
    rendered: RenderedWindows
    warnings: tuple[str, ...] = ()


def open_cache() -> FeatureCache:
    """The cache; it has a folder below the user's extension folder if the add-on is installed as an extension."""
    global _cache
    from ...pipeline import FeatureCache

    if _cache is None:
        folder = None
        if ROOT_PACKAGE.startswith("bl_ext."):
            folder = Path(bpy.utils.extension_path_user(ROOT_PACKAGE, path="features"))
        _cache = FeatureCache(folder)
    return _cache


def forget_features() -> None:
    """Drop the features in memory; those on disk stay."""
    global _cache
    _cache = None
    _known.clear()
    _rendered.clear()


def encoded(
    sound: StripSound | FileSound,
    model: Path,
    pipeline: Callable[[], EMOTEPipeline],
    transcript: str | TimedTranscript | None,
    language: str,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> EncodedSound:
    """The features of a sound, from the cache if it was encoded before. Touches no bpy once `open_cache` was called.

    Args:
        sound: the sound; it is decoded unless it is known.
        model: the model's folder.
        pipeline: gives the model; called if the sound must be encoded.
        transcript: the spoken words, or None.
        language: of the transcript.
        progress: as in `EMOTEPipeline.encode`.
        cancelled: as in `EMOTEPipeline.encode`.

    Raises:
        InputError: if the sound cannot be decoded or encoded.
        ModelError: if the model cannot be read, or cannot use the transcript.
        Cancelled: if `cancelled` returns True.
    """
    from ...pipeline import feature_key

    cache, digest = open_cache(), _digest_of_model(model, stamps(model))
    source = (*stamp_of(sound), digest, transcript, language)
    if source in _known:
        key, seconds, warnings = _known[source]
        if (features := cache.get(key)) is not None:
            return EncodedSound(key, features, seconds, _rendered_of(key), warnings)
    waveform = sound.decode()
    key, seconds = feature_key(waveform, digest, transcript, language, complete=True), waveform.duration_seconds
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[source] = key, seconds, waveform.warnings
    features = cache.get(key)
    if features is None:
        features = pipeline().encode(
            waveform, progress, cancelled, transcript=transcript, language=language, complete=True
        )
        cache.put(key, features)
    return EncodedSound(key, features, seconds, _rendered_of(key), waveform.warnings)


def known(key: str, model: Path) -> EncodedSound | None:
    """A sound that was encoded earlier by this model, by its key; None if its features are no longer kept."""
    from ...pipeline import is_of_model

    if not is_of_model(key, _digest_of_model(model, stamps(model))):
        return None
    features = open_cache().get(key)
    return None if features is None else EncodedSound(key, features, features.duration_seconds, _rendered_of(key))


def _rendered_of(key: str) -> RenderedWindows:
    """The rendered windows of a sound, by the key of its features."""
    from ...pipeline import RenderedWindows

    rendered = _rendered.setdefault(key, RenderedWindows())
    _rendered.move_to_end(key)
    while len(_rendered) > _MOST_RENDERED:
        _rendered.popitem(last=False)
    return rendered


@functools.lru_cache(maxsize=8)
def _digest_of_model(folder: Path, _: tuple) -> str:
    """A digest of a model's files, computed once for each state of them."""
    from ...pipeline import model_digest

    try:
        return model_digest(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be read ({error.strerror}); choose a model that is there") from error


def stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of each of a model's files; raises ModelError if the folder is gone."""
    try:
        files = sorted(folder.iterdir())
        return tuple((file.name, (status := file.stat()).st_mtime_ns, status.st_size) for file in files)
    except OSError as error:
        raise ModelError(f"{folder} cannot be read ({error.strerror}); choose a model that is there") from error


def stamp_of(source: StripSound | FileSound) -> tuple:
    """What identifies the sound of a strip or file without decoding it."""
    part: tuple = ()
    if isinstance(source, StripSound):
        if source.mixdown is not None:
            return (source.mixdown.digest,)
        part = (source.source_start_seconds, source.duration_seconds)
        if source.packed is not None:
            return (hashlib.sha256(source.packed).digest(), *part)
    try:
        status = source.path.stat()
    except OSError:
        return (source.path, *part)  # decoding it says what is wrong
    return (source.path, status.st_mtime_ns, status.st_size, *part)
