"""A small shard of speech that needs no engine: buzzing vowels, hissing consonants, silent closures."""

from pathlib import Path

import numpy as np

from emote_blender.training.corpus import phones

SOUNDS = ("AA", "P", "IY", "S", "UW", "M", "EH", "F")


def make_shard(path: Path, num_utterances: int = 6, seed: int = 0) -> Path:
    """A shard in `generate`'s format; each phone has a spectrum of its own, so that it can be learnt."""
    rng = np.random.default_rng(seed)
    samples, classes, times, offsets, phone_offsets = [], [], [], [0], [0]
    for _ in range(num_utterances):
        spoken, position, row = [np.zeros(3200)], 0.2, 0
        for _ in range(12):
            name = SOUNDS[rng.integers(len(SOUNDS))]
            seconds = rng.uniform(0.09, 0.2)
            clock = np.arange(int(seconds * 16000)) / 16000
            pitch = 300 + 450 * SOUNDS.index(name)
            loud = 0.02 if name in phones.BILABIALS else 0.5
            spoken.append(loud * np.sin(2 * np.pi * pitch * clock) + 0.002 * rng.standard_normal(len(clock)))
            classes.append(phones.CLASS_INDEX[name])
            times.append((position, position + len(clock) / 16000))
            position += len(clock) / 16000
            row += 1
        audio = np.concatenate([*spoken, np.zeros(3200)])
        frames = -(-len(audio) // 640)
        samples.append(np.pad(audio, (0, frames * 640 - len(audio))))
        offsets.append(offsets[-1] + frames)
        phone_offsets.append(phone_offsets[-1] + row)
    np.savez(
        path,
        samples=(np.concatenate(samples) * 20000).astype(np.int16),
        frame_offsets=np.array(offsets),
        phone_classes=np.array(classes, np.int16),
        phone_times=np.array(times, np.float32),
        phone_offsets=np.array(phone_offsets),
        speakers=np.array(["buzz:one", "buzz:two"] * (num_utterances // 2)),
        texts=np.array([f"utterance {i}" for i in range(num_utterances)]),
    )
    return path
