"""The batch file: one line per sound or video, checked before anything runs."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..capture.motion_files import WRITTEN_SUFFIXES
from ..capture.video.mix import ALL_FROM_VIDEO, Shares
from ..emotion import DEFAULT_EMOTION, DEFAULT_INTENSITY, EmotionTrack
from ..errors import EmoteError, InputError
from ..files.pasted_path import pasted_path
from ..files.table import TableRow, read_table
from ..motion_tools.life import STILL, Life
from ..motion_tools.refine import Refinement
from ..transcript.language import AUTO
from ..transcript.text import read_transcript
from ..transcript.timed_transcript import TimedTranscript

logger = logging.getLogger(__name__)

LIFE_COLUMNS = ("blinks", "gaze", "head_motion")
COLUMNS = (
    *("audio", "video", "from_video", "emotion", "intensity", "speaker", "transcript", "language"),
    *(*LIFE_COLUMNS, "seed", "refine", "output"),
)
NO_TRANSCRIPT = "none"
_AS_GENERATED = Refinement()
OUTPUT_SUFFIXES = (*WRITTEN_SUFFIXES, ".blend")


@dataclass(frozen=True)
class Job:
    """The making of one output file from a sound, a video or both.

    Attributes:
        audio: the file of the sound; the video if the row names no other.
        output: the file to write: .npz, .csv, .json or .blend.
        track: emotion and intensity over time.
        condition: source of the track, for the report: {"emotion", "intensity"} or {"track"}.
        speaker: name of a speaker of the model; None for its first.
        transcript: the spoken words; AUTO to recognise them; None for sound alone.
        language: language of the words, or AUTO.
        life: blinks, gaze and head motion that are added.
        refinement: change of the motion after inference.
        video: a video of the face; None for speech alone.
        shares: the video's shares of the face.
    """

    audio: Path
    output: Path
    track: EmotionTrack
    condition: dict[str, str | float]
    speaker: str | None
    transcript: str | TimedTranscript | None = None
    language: str = AUTO
    life: Life = STILL
    refinement: Refinement = _AS_GENERATED
    video: Path | None = None
    shares: Shares = Shares()

    @property
    def speaks(self) -> bool:
        """Whether the speech model moves a part of the face."""
        return self.video is None or self.shares != ALL_FROM_VIDEO

    @property
    def inputs(self) -> list[Path]:
        """The files that the row names: the sound, the video, or both."""
        return [*dict.fromkeys((*([self.video] if self.video else []), self.audio))]


@dataclass(frozen=True)
class BatchRow:
    """A row of the file: a job, or the reason why it is none.

    Attributes:
        place: file, line and row, for error sentences.
        line: line in the file, from 1.
        audio: text of the column `audio`, or of `video` if that is empty.
        job: the job, or None.
        error: one sentence, or None.
    """

    place: str
    line: int
    audio: str
    job: Job | None
    error: str | None


def read_jobs(
    path: str | Path,
    folder: str | Path,
    life: Life = STILL,
    refinement: Refinement = _AS_GENERATED,
    transcript: str = NO_TRANSCRIPT,
    warn: Callable[[str], None] = logger.warning,
) -> list[BatchRow]:
    """The rows of a CSV or JSON Lines file with audio or video, and any of the other COLUMNS; see `read_table`.

    Paths of files to read are relative to the file, outputs to `folder`. A missing output is named after the audio, or
    after the video if there is none, with the row's emotion and intensity: line_anger_2.npz. `life`, `refinement` and
    `transcript` (auto or none) are those of rows without their columns. `warn` is called with a sentence about what had
    to be assumed of the file.

    Raises:
        InputError: if the file as a whole cannot be used. An error of a row is in the row.
    """
    path, folder = Path(path), Path(folder)
    rows = read_table(path, ("audio",), COLUMNS[1:], ("intensity", "seed"), LIFE_COLUMNS, warn, {"audio": "video"})
    if not rows:
        raise InputError(f"{path} has no rows; write one line per sound or video under the header")
    taken: dict[str, TableRow] = {}
    result = []
    for row in rows:
        source = row.values["audio"] or row.values["video"]
        try:
            job = _job(row, path.parent, folder, life, refinement, transcript)
            # Compared without case and form of Unicode, as the file systems of Windows and macOS do.
            key = unicodedata.normalize("NFC", str(job.output).casefold())
            if key in taken:
                raise InputError(
                    f"{row.place}: output {job.output.name} is already written by line {taken[key].line}; "
                    "give each row its own name in the column output"
                )
            taken[key] = row
            result.append(BatchRow(row.place, row.line, source, job, None))
        except EmoteError as error:
            text = str(error)
            text = text if text.startswith(row.place) else f"{row.place}: {text}"
            result.append(BatchRow(row.place, row.line, source, None, text))
    return result


def given_transcript(given: str | None, folder: str | Path = "") -> str | TimedTranscript | None:
    """The transcript that an option or a cell asks for, see `Job.transcript`.

    Args:
        given: "auto"; "none", "" or None for no transcript; else words or a file, as `read_transcript` takes them.
        folder: folder that a relative path is relative to.

    Raises:
        InputError: if the transcript cannot be used.
    """
    keyword = (given or NO_TRANSCRIPT).strip().lower()
    if keyword in (AUTO, NO_TRANSCRIPT):
        return AUTO if keyword == AUTO else None
    return read_transcript(given or "", folder)


def check_output_suffix(output: Path) -> None:
    """Raise InputError unless the file's name ends in one of OUTPUT_SUFFIXES."""
    if output.suffix.lower() not in OUTPUT_SUFFIXES:
        raise InputError(f"output {output} must end in .npz (motion), .csv (ARKit), .json or .blend (scene)")


def _job(
    row: TableRow, csv_folder: Path, folder: Path, life: Life, refinement: Refinement, default_transcript: str
) -> Job:
    """The job of one row; raises InputError if the row is wrong."""
    row.require_usable()
    values = row.values
    if not values["audio"] and not values["video"]:
        raise InputError(f"{row.place}: audio is empty; write the path of an audio file, or of a video in its column")
    video = pasted_path(values["video"], csv_folder) if values["video"] else None
    audio = pasted_path(values["audio"] or values["video"], csv_folder)
    for path, kind in ((audio, "an audio file" if values["audio"] else "a video"), (video, "a video")):
        if path is not None and path.is_dir():
            raise InputError(f"{row.place}: {path} is a folder; write the path of {kind} in it")
    if values["from_video"] and video is None:
        raise InputError(f"{row.place}: from_video without a video says nothing; add the video")
    transcript = given_transcript(values["transcript"] or default_transcript, csv_folder)
    if values["language"] and transcript is None:
        raise InputError(f"{row.place}: a language without a transcript says nothing; add the transcript, or auto")
    emotion = values["emotion"].lower() or DEFAULT_EMOTION
    intensity = row.number("intensity", DEFAULT_INTENSITY)
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in values["output"]):
        raise InputError(f"{row.place}: output {values['output']!r} has a line break; write the name in one line")
    name = values["output"] or _default_name(audio, values, intensity)
    try:
        output = pasted_path(name, folder).resolve()
    except OSError as error:
        raise InputError(f"{row.place}: output {name} is no file name ({error.strerror}); choose another") from error
    if not output.is_relative_to(folder.resolve()):
        raise InputError(f"{row.place}: output {name} is outside {folder}; name a file inside it")
    check_output_suffix(output.relative_to(folder.resolve()))
    return Job(
        audio=audio,
        output=output,
        track=EmotionTrack.constant(emotion, intensity),
        condition={"emotion": emotion, "intensity": intensity},
        speaker=values["speaker"] or None,
        transcript=transcript,
        language=values["language"] or AUTO,
        life=_life(row, life),
        refinement=Refinement.parse(values["refine"]) if values["refine"] else refinement,
        video=video,
        shares=Shares.parse(values["from_video"]),
    )


def _life(row: TableRow, life: Life) -> Life:
    """The life of a row; raises InputError if a column cannot be read."""
    switches = {column: row.switch(column) for column in LIFE_COLUMNS}
    changes: dict[str, Any] = {column: value for column, value in switches.items() if value is not None}
    seed = row.number("seed", life.seed)
    if seed != int(seed):
        raise InputError(f"{row.place}: seed must be a whole number, found {row.values['seed']!r}")
    return replace(life, **changes, seed=int(seed))


def _default_name(audio: Path, values: dict[str, str], intensity: float) -> str:
    """The audio's name with the row's emotion and intensity, if it has them."""
    parts = [audio.stem, values["emotion"].lower(), f"{intensity:g}" if values["intensity"] else ""]
    return "_".join(part for part in parts if part) + ".npz"
