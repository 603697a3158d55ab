"""The command line: generate, batch, capture, convert, info, train, evaluate.

`python -m emote_blender ...` and `blender --command emote ...` are the same program. Exit codes: 0 success, 1 an input
that cannot be used (one sentence on stderr), 2 wrong usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from ..audio import load_audio
from ..batch.runner import Decoder
from ..capture.video.track_file import VideoReader
from ..errors import Cancelled, EmoteError
from ..files.console_progress import say
from ..version import package_version
from .arguments import EXIT_CANCELLED, EXIT_FAILED
from .batch import add_batch_command
from .capture import add_capture_command
from .convert import add_convert_command
from .generate import add_generate_command
from .info import add_info_command
from .training import add_evaluate_command, add_train_command


def main(argv: Sequence[str] | None = None, decode: Decoder | None = None, reader: VideoReader | None = None) -> int:
    """Run a command and return the exit code.

    Args:
        argv: the arguments after the program's name; None for those of this process.
        decode: reads an audio file; Blender passes its own decoder. None for `load_audio`.
        reader: reads videos; likewise. None for PyAV.
    """
    parser = _parser("python -m emote_blender" if decode is None else "blender --command emote")
    try:
        arguments = parser.parse_args(argv)
        arguments.reader = reader or VideoReader()
        logging.basicConfig(
            level=logging.INFO if arguments.verbose else logging.WARNING,
            format="%(levelname)s %(name)s: %(message)s",
            stream=sys.stderr,
        )
        code = arguments.run(arguments, decode or load_audio)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output has seen enough, as in `info | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except EmoteError as error:
        say(f"error: {error}")
        return EXIT_CANCELLED if isinstance(error, Cancelled) else EXIT_FAILED
    except KeyboardInterrupt:
        say("cancelled; nothing half-written is left")
        return EXIT_CANCELLED
    except SystemExit as leaving:  # argparse: 0 after --help, 2 after wrong usage
        return int(leaving.code or 0)


def _parser(program: str) -> argparse.ArgumentParser:
    """The parser of all commands; `run` of a result is the function of the command."""
    parser = argparse.ArgumentParser(prog=program, description="Speech and an emotion to facial animation.")
    parser.add_argument("--version", action="version", version=package_version())
    parser.add_argument("--verbose", action="store_true", help="also show what is done in detail, on stderr")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_generate_command(commands)
    add_batch_command(commands)
    add_capture_command(commands)
    add_info_command(commands)
    add_convert_command(commands)
    add_train_command(commands)
    add_evaluate_command(commands)
    return parser
