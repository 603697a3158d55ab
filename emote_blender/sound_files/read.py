"""The sound of a file, or of a part of it, as one channel, with warnings for what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import InputError
from ..resampling import resample_blocks
from ..sample_store import StoredSamples, store
from .checks import MAX_DURATION_SECONDS, require_file, require_sample_rate, require_sound, require_usable_length
from .layout import TOLERANCE_SECONDS, Layout
from .mixing import Mixer
from .open_sound import Decoder, OpenSound, open_sound


class ReadSound(NamedTuple):
    """A sound as `audio.Waveform` holds it: see there."""

    samples: np.ndarray | StoredSamples
    sample_rate: int
    warnings: tuple[str, ...]


def read_file(path: Path, sample_rate: int | None, name: str, decoder: Decoder | None = None) -> ReadSound:
    """The sound of a file, block by block, so that hours of it need not be in memory; see `audio.load_audio`."""
    require_file(path)
    with open_sound(path, decoder) as (sound, layout):
        require_sample_rate(sound.sample_rate, name)
        rate = round(sound.sample_rate)
        stop = round((MAX_DURATION_SECONDS + 1) * rate)

        def mixed(mixer: Mixer) -> np.ndarray | StoredSamples:
            blocks = _mono_blocks(sound, mixer, stop, name)
            if sample_rate is not None and sample_rate != rate:
                blocks = resample_blocks(blocks, rate, sample_rate)
            return store(blocks, name)

        mixer = Mixer()
        samples = mixed(mixer)
        if not mixer.num_samples:
            raise InputError(f"{name} has no samples; choose a file with speech in it")
        warnings = _damage(layout, sound, mixer.num_samples / rate, name)
        if mixer.cancels:
            warnings += _cancelled(mixer, name)
            mixer = Mixer(mixer.loudest)
            samples = mixed(mixer)
    return ReadSound(samples, sample_rate or rate, (*warnings, *_silence(mixer, name)))


def read_part(
    path: Path, start_seconds: float, duration_seconds: float, name: str, decoder: Decoder | None = None
) -> ReadSound:
    """A part of a file's sound, of which no more is decoded than must be; see `audio.load_part`."""
    require_file(path)
    with open_sound(path, decoder) as (sound, layout):
        require_sample_rate(sound.sample_rate, name)
        require_usable_length(duration_seconds, name)
        rate = round(sound.sample_rate)
        start = round(start_seconds * rate)
        part = np.zeros(max(1, round(duration_seconds * rate)), np.float32)
        stop = start + len(part)
        # A little more shows whether the sound ends here.
        margin = math.ceil(TOLERANCE_SECONDS * rate)

        def fill(mixer: Mixer) -> int:
            """Write the sound into the part, and return where the decoder stopped."""
            end = 0
            for first, block in sound.blocks(start, stop + margin):
                end = first + len(block)
                begin, last = max(start, first), min(stop, end)
                if last > begin:
                    mono = mixer.mix(block[begin - first : last - first])
                    require_sound(mono, rate, name, begin)
                    part[begin - start : last - start] = mono
            return end

        mixer = Mixer()
        end = fill(mixer)
        if not mixer.num_samples and not any(len(block) for _, block in sound.blocks(0, 1)):
            raise InputError(f"{name} has no samples; choose a file with speech in it")
        warnings: tuple[str, ...] = ()
        if end < stop + margin // 2 or (layout.hole_seconds is not None and layout.hole_seconds * rate < stop):
            warnings = _damage(layout, sound, end / rate, name)
        if mixer.cancels:
            warnings += _cancelled(mixer, name)
            mixer = Mixer(mixer.loudest)
            fill(mixer)
    return ReadSound(part, rate, (*warnings, *_silence(mixer, name)))


def require_decodable(path: Path, decoder: Decoder | None = None) -> None:
    """Raise InputError if a file cannot be decoded; only its beginning is."""
    require_file(path)
    with open_sound(path, decoder) as (sound, _):
        require_sample_rate(sound.sample_rate, str(path))
        if not any(len(block) for _, block in sound.blocks(0, round(sound.sample_rate))):
            raise InputError(f"{path} has no samples; choose a file with speech in it")


def _mono_blocks(sound: OpenSound, mixer: Mixer, stop: int, name: str) -> Iterator[np.ndarray]:
    """Yield the samples (n,) float32 of a file, mixed to one channel; raises InputError if they cannot be used."""
    rate = sound.sample_rate
    for first, block in sound.blocks(0, stop):
        mono = mixer.mix(block)
        require_sound(mono, rate, name, first)
        require_usable_length((first + len(mono)) / rate, name)
        yield mono


def _damage(layout: Layout, sound: OpenSound, end_seconds: float, name: str) -> tuple[str, ...]:
    """The warning for what is missing of a sound of which the decoder found `end_seconds`, if anything is."""
    if layout.change_seconds is not None:
        return (
            f"{name} changes its sample rate or its number of channels at {layout.change_seconds:.2f} s, as joined "
            "files may: Blender plays the rest wrongly; convert the file to wav",
        )
    announced, hole = layout.announced_seconds, layout.hole_seconds
    lost = 0.0 if announced is None else announced - end_seconds
    if hole is None and lost > TOLERANCE_SECONDS and not layout.is_cut:
        hole = sound.find_hole(lost)
    if hole is not None:
        length = f" ({lost:.2f} s)" if lost > TOLERANCE_SECONDS else ""
        return (
            f"{name} is damaged at {hole:.2f} s: what cannot be decoded{length} is left out, "
            "and the rest comes earlier",
        )
    if lost > TOLERANCE_SECONDS:
        return (f"{name} ends at {end_seconds:.2f} of {announced:.2f} s; the rest is missing",)
    if layout.unread_seconds > TOLERANCE_SECONDS:
        return (
            f"{name} announces {announced:.2f} s in its header, and players stop there, but "
            f"{layout.unread_seconds:.2f} s more follow; save it again with an audio editor",
        )
    if layout.is_cut and announced is None:
        return (f"{name} breaks off at {end_seconds:.2f} s; the rest is missing",)
    return ()


def _cancelled(mixer: Mixer, name: str) -> tuple[str, ...]:
    """The warning that a channel is taken because their average is next to nothing."""
    return (
        f"{name}: its channels cancel each other, as they have opposite signs; channel {mixer.loudest + 1} is used",
    )


def _silence(mixer: Mixer, name: str) -> tuple[str, ...]:
    """The warning that a sound is silent, if it is."""
    return (f"{name} is silent from beginning to end: the face does not speak",) if mixer.is_silent else ()
