"""A source of clips that are in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from emote_blender.training.data.clips import SpeechClip


@dataclass(frozen=True)
class ClipList:
    """Clips by index, as `clips.Clips` asks."""

    clips: Sequence[SpeechClip]
    speakers: Sequence[str]

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> SpeechClip:
        return self.clips[index]
