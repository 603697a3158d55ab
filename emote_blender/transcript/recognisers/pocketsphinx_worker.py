"""A program of its own that recognises utterances with pocketsphinx: PCM on stdin, words on stdout.

`pocketsphinx_english` starts it. pocketsphinx holds Python's global lock while it works: on a thread it would stop
Blender's interface. The program imports nothing of this package and needs no numpy.
"""

from __future__ import annotations

import json
import struct
import sys
from typing import Any

FRAMES_PER_SECOND = 100
# Phone models that are followed at a time. Of 30000, pocketsphinx's own limit, speech needs few and noise nearly all:
# with 4000 speech takes three quarters of the time and noise a third, with the same words.
_MOST_MODELS = 4000


def open_decoder(model_folder: str) -> Any:
    """A decoder with the model of US English in pocketsphinx's folder of models; raises RuntimeError without it."""
    from pocketsphinx import Decoder

    folder = f"{model_folder}/en-us"
    return Decoder(
        hmm=f"{folder}/en-us",
        lm=f"{folder}/en-us.lm.bin",
        dict=f"{folder}/cmudict-en-us.dict",
        maxhmmpf=_MOST_MODELS,
        loglevel="FATAL",
    )


def decode(decoder: Any, pcm: bytes) -> list[tuple[str, int, int, float]]:
    """The words of an utterance, with first frame, last frame and posterior probability; includes fillers.

    Args:
        decoder: from `open_decoder`.
        pcm: 16-bit samples at 16 kHz.
    """
    decoder.reinit_feat()  # without what is left of the utterance before: the result depends on `pcm` only
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return []
    return [(segment.word, segment.start_frame, segment.end_frame, segment.prob) for segment in decoder.seg()]


def main(library_folder: str) -> None:
    """Answer each utterance on stdin (its number of bytes, then PCM) with a line of JSON, until stdin ends.

    If pocketsphinx does not run, the only line is a string that says why.

    The current folder is pocketsphinx's folder of models: its C code cannot open every path of Windows, but a relative
    one without special letters.

    Args:
        library_folder: the folder that holds pocketsphinx.
    """
    sys.path.append(library_folder)
    try:
        decoder = open_decoder(".")
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
        return
    while len(header := sys.stdin.buffer.read(4)) == 4:
        (num_bytes,) = struct.unpack("<I", header)
        print(json.dumps(decode(decoder, sys.stdin.buffer.read(num_bytes))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
