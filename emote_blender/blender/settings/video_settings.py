"""What a scene remembers of the video whose face is captured. Stored as `scene.emote.video`."""

from __future__ import annotations

from typing import Any

import bpy


def movie_strip_property(options: set[Any]) -> Any:
    """The movie strip that is captured."""
    return bpy.props.StringProperty(
        name="Movie Strip",
        description="Name of the movie strip with the face; empty for the active or only one",
        options=options,
    )


def movie_file_property(options: set[Any]) -> Any:
    """The video file that is captured in place of a strip."""
    return bpy.props.StringProperty(
        name="Video File",
        description="Video with the face, instead of a movie strip",
        subtype="FILE_PATH",
        options=options | {"PATH_SUPPORTS_BLEND_RELATIVE"},
    )


def start_property(options: set[Any]) -> Any:
    """Where a video file begins; a strip has its own place."""
    return bpy.props.IntProperty(
        name="Start Frame", description="Frame at which the video file begins", default=1, options=options
    )


def sound_property(options: set[Any]) -> Any:
    """Whether mouth and jaw follow the sound."""
    return bpy.props.BoolProperty(
        name="Mouth from Sound",
        description="Let lips and jaw follow the sound strip beside the movie, and its words, as Generate does; brows, "
        "lids, gaze and head follow the video. Without such a strip, all of the face follows the video",
        default=True,
        options=options,
    )


def mirrored_property(options: set[Any]) -> Any:
    """Whether the video is mirrored."""
    return bpy.props.BoolProperty(
        name="Mirrored",
        description="The video shows the scene mirrored, as some selfie cameras record it: writing in it is reversed",
        default=False,
        options=options,
    )


def person_property(options: set[Any]) -> Any:
    """Which of several people is followed."""
    return bpy.props.IntProperty(
        name="Person",
        description="Which of several people: 0 for the largest face, else its number in the preview",
        default=0,
        min=0,
        max=16,
        options=options,
    )


def place_property(options: set[Any]) -> Any:
    """Where the face is that is followed."""
    return bpy.props.FloatVectorProperty(
        name="Place",
        description="A place beside the face where it is first seen, in pixels from the left and the top of the "
        "picture; 0, 0 for none",
        size=2,
        default=(0.0, 0.0),
        min=0.0,
        options=options,
    )


def has_neutral_property(options: set[Any]) -> Any:
    """Whether a neutral moment is marked."""
    return bpy.props.BoolProperty(
        name="Neutral Frame",
        description="Measure the face from the frame that is marked as neutral. Without, such moments are looked for",
        default=False,
        options=options,
    )


def neutral_frame_property(options: set[Any]) -> Any:
    """The frame on which the face is neutral."""
    return bpy.props.IntProperty(
        name="Frame",
        description="Frame of the timeline on which the face in the video rests without expression",
        default=1,
        options=options,
    )


class EMOTE_PG_video(bpy.types.PropertyGroup):
    """The video whose face is captured, and how."""

    source: bpy.props.EnumProperty(
        name="Source",
        description="A movie strip, or a video file",
        items=[("STRIP", "Strip", "A movie strip of the sequencer"), ("FILE", "File", "A video file")],
    )
    strip: movie_strip_property(set())
    filepath: movie_file_property(set())
    frame_start: start_property(set())
    use_sound: sound_property(set())
    mirrored: mirrored_property(set())
    person: person_property(set())
    place: place_property(set())
    has_neutral: has_neutral_property(set())
    neutral_frame: neutral_frame_property(set())
