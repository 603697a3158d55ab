"""The batch file: one line per audio file, checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..emotion import DEFAULT_EMOTION, DEFAULT_INTENSITY, EmotionTrack
from ..errors import EmoteError, InputError
from ..files.csv_table import CSVRow, read_csv_table
from ..motion_tools.life import STILL, Life
from ..motion_tools.refine import Refinement
from ..transcript.language import AUTO
from ..transcript.text import read_transcript
from ..transcript.timed_transcript import TimedTranscript

LIFE_COLUMNS = ("blinks", "gaze", "head_motion")
COLUMNS = (
    *("audio", "emotion", "intensity", "speaker", "transcript", "language"),
    *(*LIFE_COLUMNS, "seed", "refine", "output"),
)
NO_TRANSCRIPT = "none"
_AS_GENERATED = Refinement()
OUTPUT_SUFFIXES = (".npz", ".blend")
_SWITCHES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True)
class Job:
    """The generation of one output file from one audio file.

    Attributes:
        audio: the audio file.
        output: the file to write, .npz or .blend.
        track: emotion and intensity over time.
        condition: source of the track, for the report: {"emotion", "intensity"} or {"track"}.
        speaker: name of a speaker of the model; None for its first.
        transcript: the spoken words; AUTO to recognise them; None for sound alone.
        language: language of the words, or AUTO.
        life: blinks, gaze and head motion that are added.
        refinement: change of the motion after inference.
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


@dataclass(frozen=True)
class BatchRow:
    """A row of the file: a job, or the reason why it is none.

    Attributes:
        line: line in the file, from 1.
        audio: text of the column `audio`.
        job: the job, or None.
        error: one sentence, or None.
    """

    line: int
    audio: str
    job: Job | None
    error: str | None


def read_jobs(
    path: str | Path, folder: str | Path, life: Life = STILL, refinement: Refinement = _AS_GENERATED
) -> list[BatchRow]:
    """The rows of a CSV file with the column audio and any of the other COLUMNS.

    Paths of audio and transcript files are relative to the CSV file, outputs to `folder`. A missing output is named
    after the audio, with the row's emotion and intensity: line_anger_2.npz. `life` and `refinement` are those of
    rows without their columns.

    Raises:
        InputError: if the file as a whole cannot be used. An error of a row is in the row.
    """
    path, folder = Path(path), Path(folder)
    rows = read_csv_table(path, required=("audio",), optional=COLUMNS[1:])
    if not rows:
        raise InputError(f"{path} has no rows; write one line per audio file under the header")
    taken: dict[str, CSVRow] = {}
    result = []
    for row in rows:
        try:
            job = _job(row, path.parent, folder, life, refinement)
            # Compared without case, as the file systems of Windows and macOS do.
            key = str(job.output).casefold()
            if key in taken:
                raise InputError(
                    f"{row.place}: output {job.output.name} is already written by line {taken[key].line}; "
                    "give each row its own name in the column output"
                )
            taken[key] = row
            result.append(BatchRow(row.line, row.values["audio"], job, None))
        except EmoteError as error:
            text = str(error)
            text = text if text.startswith(row.place) else f"{row.place}: {text}"
            result.append(BatchRow(row.line, row.values["audio"], None, text))
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
    """Raise InputError unless the file's name ends in .npz or .blend."""
    if output.suffix.lower() not in OUTPUT_SUFFIXES:
        raise InputError(f"output {output} must end in .npz (motion) or .blend (scene)")


def _job(row: CSVRow, csv_folder: Path, folder: Path, life: Life, refinement: Refinement) -> Job:
    """The job of one row; raises InputError if the row is wrong."""
    values = row.values
    if not values["audio"]:
        raise InputError(f"{row.place}: audio is empty; write the path of an audio file")
    audio = csv_folder / Path(values["audio"]).expanduser()
    if values["language"] and not values["transcript"]:
        raise InputError(f"{row.place}: a language without a transcript says nothing; add the transcript, or auto")
    emotion = values["emotion"].lower() or DEFAULT_EMOTION
    intensity = row.number("intensity", DEFAULT_INTENSITY)
    name = values["output"] or _default_name(audio, values)
    try:
        output = (folder / name).resolve()
    except OSError as error:
        raise InputError(f"{row.place}: output {name} is no file name ({error.strerror}); choose another") from error
    if not output.is_relative_to(folder.resolve()):
        raise InputError(f"{row.place}: output {name} is outside {folder}; name a file inside it")
    check_output_suffix(Path(name))
    return Job(
        audio=audio,
        output=output,
        track=EmotionTrack.constant(emotion, intensity),
        condition={"emotion": emotion, "intensity": intensity},
        speaker=values["speaker"] or None,
        transcript=given_transcript(values["transcript"], csv_folder),
        language=values["language"] or AUTO,
        life=_life(row, life),
        refinement=Refinement.parse(values["refine"]) if values["refine"] else refinement,
    )


def _life(row: CSVRow, life: Life) -> Life:
    """The life of a row; raises InputError if a column cannot be read."""
    changes: dict[str, Any] = {}
    for column in LIFE_COLUMNS:
        text = row.values[column].lower()
        if text and text not in _SWITCHES:
            raise InputError(f"{row.place}: {column} must be yes or no, found {row.values[column]!r}")
        if text:
            changes[column] = _SWITCHES[text]
    seed = row.number("seed", life.seed)
    if seed != int(seed):
        raise InputError(f"{row.place}: seed must be a whole number, found {row.values['seed']!r}")
    return replace(life, **changes, seed=int(seed))


def _default_name(audio: Path, values: dict[str, str]) -> str:
    """The audio's name with the row's emotion and intensity."""
    parts = [audio.stem, values["emotion"].lower(), values["intensity"]]
    return "_".join(part for part in parts if part) + ".npz"
