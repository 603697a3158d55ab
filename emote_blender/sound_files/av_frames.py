"""The frames of a stream through PyAV, of sound or of pictures, as far as a damaged file can be decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av


def decodable_frames(
    container: av.container.InputContainer, stream: Any, on_damage: Callable[[], None] = lambda: None
) -> Iterator[Any]:
    """Yield the frames that can be decoded, in the order in which they are shown or played.

    Args:
        container: the open file.
        stream: the stream of it.
        on_damage: called for each part that cannot be decoded.
    """
    import av

    errors = av.error.FFmpegError
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (errors, IndexError):  # the file ends in the middle of something; a damaged MPEG-TS
            on_damage()
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except errors:
            on_damage()
