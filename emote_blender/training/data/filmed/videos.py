"""The videos to capture: those of MEAD as it is distributed, or a folder of one's own with a table.

MEAD, unpacked, with the cameras front, left_30, left_60, right_30, right_60, top and down:

    <root>/M003/video/front/angry/level_1/001.mp4
    <root>/M003/audio/angry/level_1/001.m4a
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ....emotion import DEFAULT_INTENSITY, EMOTIONS, check_intensity
from ....errors import InputError
from ....files.pasted_path import pasted_path
from ....files.table import TableRow, read_table
from ..mead.layout import EMOTION_FOLDERS, IDENTITY, LEVEL, MEADTake, folders_in
from ..motion_folder import DEFAULT_SPEAKER

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mts", ".wmv", ".flv")
_AUDIO_SUFFIXES = (".wav", ".m4a", ".flac", ".mp3", ".aac", ".ogg")


@dataclass(frozen=True)
class FilmedClip:
    """A video of somebody who speaks with one emotion.

    Attributes:
        name: its place in the result, a relative path without suffix.
        video: the file.
        audio: the file of its sound; None for the video's own.
        emotion: one of `emotion.EMOTIONS`.
        intensity: 0 to 2.
        speaker: name.
    """

    name: str
    video: Path
    audio: Path | None
    emotion: str
    intensity: float
    speaker: str


@dataclass(frozen=True)
class LeftOut:
    """A clip that is not captured.

    Attributes:
        name: of the clip, its video or its row.
        why: one sentence.
    """

    name: str
    why: str


def mead_videos(root: Path, camera: str) -> tuple[list[FilmedClip], list[LeftOut]]:
    """The clips of one camera of MEAD, sorted, and what was left out.

    Raises:
        InputError: the folder holds none.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder; give the one that holds MEAD's people (M003, W009, ...)")
    clips: list[FilmedClip] = []
    left_out: list[LeftOut] = []
    cameras: set[str] = set()
    people = [folder for folder in folders_in(root) if IDENTITY.fullmatch(folder.name)]
    for person in people:
        films = person / "video"
        own = {folder.name for folder in folders_in(films)} if films.is_dir() else set()
        cameras |= own
        if camera not in own:
            left_out.append(LeftOut(person.name, f"{films} has no folder {camera}; unpack video.tar there"))
            continue
        for emotion in folders_in(films / camera):
            for level in folders_in(emotion):
                found = LEVEL.fullmatch(level.name)
                if emotion.name not in EMOTION_FOLDERS or not found:
                    left_out.append(LeftOut(f"{level}", "MEAD has no such emotion or level"))
                    continue
                sounds = person / "audio" / emotion.name / level.name
                clips += [_mead_clip(video, sounds, person.name, int(found[1])) for video in _videos_in(level)]
    if not clips:
        there = f"the cameras {', '.join(sorted(cameras))}" if cameras else f"{len(people)} of MEAD's people"
        raise InputError(
            f"{root} holds no video PERSON/video/{camera}/EMOTION/level_N/NNN.mp4 of MEAD; found {there}; unpack "
            "video.tar in each person's folder, or choose another --camera"
        )
    return clips, left_out


def own_videos(
    root: Path, table: Path, warn: Callable[[str], None] = lambda sentence: None
) -> tuple[list[FilmedClip], list[LeftOut]]:
    """The clips that a table names, in its order, and what was left out.

    The table has the columns video and emotion, and may have intensity, speaker and audio. Paths are relative to
    `root`.

    Args:
        root: the folder of the videos.
        table: CSV or JSON Lines.
        warn: called with a sentence about what had to be assumed of the table.

    Raises:
        InputError: the folder or the table cannot be used, or the table names no usable video.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder; give the one that holds the videos")
    rows = read_table(table, ("video", "emotion"), ("intensity", "speaker", "audio"), ("intensity",), (), warn)
    clips: dict[str, FilmedClip] = {}
    left_out: list[LeftOut] = []
    for row in rows:
        try:
            clip = _own_clip(row, root)
            if clip.name.casefold() in clips:
                raise InputError(f"{row.place}: another row has a clip of this name; rename one of the two videos")
            clips[clip.name.casefold()] = clip
        except InputError as error:
            text = str(error)
            left_out.append(
                LeftOut(row.values["video"], text if text.startswith(row.place) else f"{row.place}: {text}")
            )
    named = {clip.video.resolve() for clip in clips.values()}
    named |= {pasted_path(row.values["video"], root).resolve() for row in rows if row.values["video"]}
    for video in sorted(root.rglob("*")):
        if video.suffix.lower() in VIDEO_SUFFIXES and video.is_file() and video.resolve() not in named:
            left_out.append(LeftOut(video.relative_to(root).as_posix(), f"{table} has no row for it"))
    if not clips:
        reasons = f": {left_out[0].why}" if left_out else ""
        raise InputError(f"{table} names no video in {root} that can be used{reasons}")
    return list(clips.values()), left_out


def _videos_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES and path.name[0] != ".")


def _mead_clip(video: Path, sounds: Path, identity: str, level: int) -> FilmedClip:
    take = MEADTake(identity, video.parent.parent.name, level, video.stem)
    audio = next((path for suffix in _AUDIO_SUFFIXES if (path := sounds / f"{video.stem}{suffix}").is_file()), None)
    name = take.folder.as_posix()
    return FilmedClip(name, video, audio, EMOTIONS[take.emotion_index], float(take.intensity), identity)


def _own_clip(row: TableRow, root: Path) -> FilmedClip:
    """The clip of a row; raises InputError if the row is wrong."""
    row.require_usable()
    values = row.values
    if not values["video"]:
        raise InputError("video is empty; write the path of a video")
    video = pasted_path(values["video"], root)
    audio = pasted_path(values["audio"], root) if values["audio"] else None
    for path in (video, audio):
        if path is not None and not path.is_file():
            raise InputError(f"{path} not found; correct its path, which is relative to {root}")
    if not video.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{video} is outside {root}; put it there")
    emotion = values["emotion"].lower()
    if emotion not in EMOTIONS:
        found = repr(values["emotion"]) if emotion else "nothing"
        raise InputError(f"emotion must be one of {', '.join(EMOTIONS)}, found {found}")
    return FilmedClip(
        name=video.resolve().relative_to(root.resolve()).with_suffix("").as_posix(),
        video=video,
        audio=audio,
        emotion=emotion,
        intensity=check_intensity(row.number("intensity", DEFAULT_INTENSITY)),
        speaker=values["speaker"] or DEFAULT_SPEAKER,
    )
