"""The command `capture`: the performance of a face in a video as a motion file; folders of videos as training data."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from ..capture.motion_files import MOTION_SUFFIX, require_written_suffix, save_motion
from ..errors import InputError
from ..files.atomic_write import check_writable
from ..files.console_progress import ProgressLine, show, warn
from ..files.pasted_path import pasted_path
from ..files.paths import DEFAULT_HEAD, find_head
from ..flame.model import FaceModel
from ..motion_tools.timing import MOTION_FPS
from ..retarget.conversion import in_open_basis
from .capture_folders import add_folder_arguments, capture_folder


def add_capture_command(commands: Any) -> None:
    """Add `capture` to the parsers of the program."""
    command = commands.add_parser("capture", help="the performance of a face in a video to a motion")
    command.add_argument("video", nargs="?", type=pasted_path, metavar="VIDEO", help="the video, or a picture")
    command.add_argument(
        *("-o", "--output"), type=pasted_path, required=True, metavar="OUT", help="OUT.npz, OUT.csv (ARKit) or OUT.json"
    )
    command.add_argument("--head", default=DEFAULT_HEAD, metavar="HEAD", help=f"name or folder ({DEFAULT_HEAD})")
    command.add_argument("--fps", type=float, metavar="N", help="frames per second of the motion (25)")
    command.add_argument("--mirrored", action="store_true", help="the video is mirrored, as some selfies are")
    command.add_argument(
        "--near",
        type=_place,
        metavar="X,Y",
        help="a place beside the face to follow, in pixels from the top left (default: the largest face)",
    )
    command.add_argument(
        "--neutral", type=float, metavar="SECONDS", help="a moment without expression (default: it is looked for)"
    )
    command.add_argument(
        "--view", type=float, metavar="DEGREES", help="the camera's angle of view along the longer side (50)"
    )
    command.add_argument("--track", type=pasted_path, metavar="TRACK.npz", help="also write the landmarks")
    add_folder_arguments(command)
    command.set_defaults(run=_checked_capture(command))


_OF_A_VIDEO = ("fps", "near", "neutral", "track")
_OF_FOLDERS = ("table", "camera", "emotion_network", "processes")


def _checked_capture(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace, Any], int]:
    """`capture` with the checks that the parser cannot express."""

    def run(arguments: argparse.Namespace, decode: Any) -> int:
        sources = [arguments.video, arguments.mead, arguments.folder]
        if sum(source is not None for source in sources) != 1:
            parser.error("give one of VIDEO, --mead FOLDER and --folder FOLDER")
        foreign = _OF_FOLDERS if arguments.video is not None else _OF_A_VIDEO
        for name in foreign:
            if getattr(arguments, name) is not None:
                option = name.replace("_", "-")
                parser.error(f"--{option} is for {'--mead or --folder' if arguments.video else 'one VIDEO'}")
        if (arguments.folder is None) != (arguments.table is None):
            parser.error("--folder and --table go together: the table has the emotions of the folder's videos")
        if arguments.camera is not None and arguments.mead is None:
            parser.error("--camera is for --mead")
        _check_view(arguments)
        return capture_command(arguments, decode) if arguments.video is not None else capture_folder(arguments)

    return run


def _place(text: str) -> tuple[float, float]:
    """The x and y of "X,Y"."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y, such as 320,180") from None
    return x, y


def capture_command(arguments: argparse.Namespace, decode: Any) -> int:
    """Run `capture` and return the exit code; raises EmoteError if a file cannot be used or shows no face."""
    from ..capture.video.fit.camera import Camera
    from ..capture.video.fit.clip import fit_track
    from ..capture.video.track_file import track_file

    fps = MOTION_FPS if arguments.fps is None else arguments.fps
    _check(arguments, fps)
    model = FaceModel.load(find_head(arguments.head))
    progress = ProgressLine(sys.stderr, arguments.video.name)
    try:
        track = track_file(arguments.video, arguments.near, arguments.mirrored, progress, reader=arguments.reader)
        camera = Camera.of_picture(track.image_size, arguments.view) if arguments.view else None
        fit = fit_track(model, track, fps=fps, neutral_seconds=arguments.neutral, camera=camera)
    finally:
        progress.clear()
    for line in track.remarks():
        warn(line)
    output = arguments.output
    motion = fit.motion if output.suffix.lower() == MOTION_SUFFIX else in_open_basis(fit.motion)
    written = save_motion(motion, output, fps)
    if arguments.track:
        track.save(arguments.track)
    show(
        f"wrote {output}: {written.num_frames} frames at {written.fps:g} fps, the face seen in "
        f"{fit.valid.mean():.0%} of them"
    )
    return 0


def _check_view(arguments: argparse.Namespace) -> None:
    """Raise InputError for an angle of view that no camera has."""
    if arguments.view is not None and not 5 <= arguments.view <= 150:
        raise InputError(f"--view {arguments.view:g}: give an angle from 5 to 150 degrees")


def _check(arguments: argparse.Namespace, fps: float) -> None:
    """Raise InputError for arguments that cannot be used, before the video is read."""
    require_written_suffix(arguments.output)
    check_writable(arguments.output)
    if arguments.track:
        if arguments.track.suffix.lower() != ".npz":
            raise InputError(f"--track {arguments.track}: give the file a name that ends in .npz")
        if arguments.track.resolve() == arguments.output.resolve():
            raise InputError(f"--track and -o both name {arguments.output}; give the landmarks another name")
        check_writable(arguments.track)
    if not 0 < fps <= 240:
        raise InputError(f"--fps {fps:g}: give a number above 0 and up to 240")
    if arguments.video.is_dir():
        raise InputError(f"{arguments.video} is a folder; give a video in it, or all of them with --folder and --table")
    if not arguments.video.is_file():
        raise InputError(f"{arguments.video} not found; give a video or a picture")
