"""The takes of a head: what each one is, how it is refined, and how it is kept alive.

They are properties of the head's mesh object (`head.emote.takes`), so that sliders can be keyed, and travel with the
head when it is appended or linked.
"""

from __future__ import annotations

from typing import Any, Literal

import bpy

from .live import changed

_OVERRIDABLE: set[Literal["LIBRARY_OVERRIDABLE"]] = {"LIBRARY_OVERRIDABLE"}


def _slider(name: str, description: str, default: float, low: float, high: float, unit: Any = "NONE") -> Any:
    return bpy.props.FloatProperty(
        name=name,
        description=description,
        default=default,
        min=low,
        max=high,
        unit=unit,
        precision=2,
        step=1 if unit == "TIME_ABSOLUTE" else 10,
        override=_OVERRIDABLE,
        update=changed("refine"),
    )


def _switch(name: str, description: str, default: bool) -> Any:
    return bpy.props.BoolProperty(
        name=name, description=description, default=default, override=_OVERRIDABLE, update=changed("refine")
    )


class EMOTE_PG_refine(bpy.types.PropertyGroup):
    """How a take's motion is changed after inference; the defaults leave it as it was generated."""

    emotion_strength: _slider(
        "Emotion Strength", "How much of the difference between the emotional and the neutral face is kept", 1.0, 0, 2
    )
    upper_strength: _slider("Upper Face Strength", "Scales the motion of brows, lids and forehead", 1.0, 0, 2)
    lower_strength: _slider("Lower Face Strength", "Scales the motion of mouth, cheeks and chin", 1.0, 0, 2)
    jaw_strength: _slider("Jaw Strength", "Scales the rotation of the jaw", 1.0, 0, 2)
    lip_close_offset: _slider(
        "Lip Close Offset", "Presses the lips more (above 0) or less (below 0) where they close", 0.0, -1, 1
    )
    fv_contact: _slider(
        "F/V Contact", "Brings the lower lip nearer to the upper teeth on f and v (above 0), or less near", 0.0, -1, 1
    )
    lip_open_offset: _slider("Lip Open Offset", "Opens (above 0) or closes (below 0) the lips", 0.0, -0.2, 0.2)
    upper_smoothing: _slider(
        "Upper Face Smoothing", "Length over which the upper face is smoothed, seconds", 0.0, 0, 0.5, "TIME_ABSOLUTE"
    )
    lower_smoothing: _slider(
        "Lower Face Smoothing", "Length over which mouth and jaw are smoothed, seconds", 0.0, 0, 0.5, "TIME_ABSOLUTE"
    )
    prediction_delay: _slider(
        "Prediction Delay", "Moves the face earlier (below 0) or later (above 0), seconds", 0.0, -1, 1, "TIME_ABSOLUTE"
    )
    transition_in: _slider(
        "Transition In", "Time before the line in which the face eases out of rest", 0.3, 0, 5, "TIME_ABSOLUTE"
    )
    transition_out: _slider(
        "Transition Out", "Time after the line in which the face eases back to rest", 0.3, 0, 5, "TIME_ABSOLUTE"
    )
    asymmetry: _slider(
        "Asymmetry", "Strengthens one side of the face (above 0 the left, below 0 the right)", 0.0, -1, 1
    )


class EMOTE_PG_alive(bpy.types.PropertyGroup):
    """Blinks, gaze, head motion and breath, added to a take without inference."""

    blinks: _switch("Blinks", "Let the head blink", True)
    blink_strength: _slider("Blink Strength", "How far the lids close in a blink", 1.0, 0, 2)
    blink_interval_seconds: _slider(
        "Blink Interval", "Mean time between blinks, seconds", 4.0, 0.5, 30, "TIME_ABSOLUTE"
    )
    eyelid_open_offset: _slider("Eyelid Open Offset", "Opens (above 0) or closes (below 0) the lids", 0.0, -1, 1)
    gaze: _switch("Gaze", "Let the eyes move", True)
    saccade_strength: _slider("Saccade Strength", "Scales the eyes' jumps", 1.0, 0, 2)
    look_at: bpy.props.PointerProperty(
        name="Look At", description="Object that the eyes look at", type=bpy.types.Object, update=changed("refine")
    )
    look_at_weight: _slider("Look At Weight", "How much the eyes follow the object", 1.0, 0, 1)
    head_motion: _switch("Head Motion", "Let the neck nod, drift and tilt with the voice", True)
    head_strength: _slider("Head Motion Strength", "Scales the motion of the neck", 1.0, 0, 2)
    breathing: _slider("Breathing", "Scales the breath in the neck; with Head Motion", 1.0, 0, 2)
    seed: bpy.props.IntProperty(
        name="Seed",
        description="Another number gives other blinks, saccades and nods",
        default=0,
        min=0,
        override=_OVERRIDABLE,
        update=changed("refine"),
    )


def _share(name: str, description: str, default: float) -> Any:
    """The video's share of a region; not animatable, as a take is mixed as a whole."""
    return bpy.props.FloatProperty(
        name=name,
        description=description,
        default=default,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options=set(),
        override=_OVERRIDABLE,
        update=changed("refine"),
    )


class EMOTE_PG_capture(bpy.types.PropertyGroup):
    """How much of a take's face is that of the video from which it was captured; the rest is the sound's."""

    brows: _share("Brows", "The video's share of brows and forehead; the rest is the sound's", 1.0)
    lids: _share("Lids", "The video's share of blinks, squints and wide eyes", 1.0)
    gaze: _share("Gaze", "The video's share of where the eyes look", 1.0)
    cheeks: _share("Cheeks and Nose", "The video's share of cheeks and nose", 1.0)
    lips: _share("Lips", "The video's share of the lips", 0.0)
    jaw: _share("Jaw", "The video's share of the jaw", 0.0)
    head: _share("Head", "The video's share of the turns of the head", 1.0)
    offset_seconds: bpy.props.FloatProperty(
        name="Offset",
        description="How far the picture is behind the sound, seconds: what is heard now is seen this much later",
        default=0.0,
        min=-2.0,
        max=2.0,
        soft_min=-0.5,
        soft_max=0.5,
        unit="TIME_ABSOLUTE",
        precision=3,
        step=1,
        options=set(),
        override=_OVERRIDABLE,
        update=changed("refine"),
    )


class EMOTE_PG_take(bpy.types.PropertyGroup):
    """One take of a head: a line, spoken with an emotion. `name` is unique among the head's takes."""

    action: bpy.props.PointerProperty(
        name="Action",
        description="The take's f-curves; it also keeps the raw motion",
        type=bpy.types.Action,
        override=_OVERRIDABLE,
    )
    line: bpy.props.StringProperty(
        name="Line", description="Name of the strip or file; takes of one line are alternates", override=_OVERRIDABLE
    )
    in_use: bpy.props.BoolProperty(
        name="In Use", description="Whether the head plays this take of its line", default=True, override=_OVERRIDABLE
    )
    scene: bpy.props.PointerProperty(
        name="Scene", description="Scene whose strips and frame rate count", type=bpy.types.Scene, override=_OVERRIDABLE
    )
    frame_start: bpy.props.FloatProperty(
        name="Start", description="Scene frame of the motion's first frame", override=_OVERRIDABLE
    )
    fps: bpy.props.FloatProperty(
        name="Frame Rate",
        description="Scene frames per second when the curves were written",
        override=_OVERRIDABLE,
    )
    duration_seconds: bpy.props.FloatProperty(
        name="Length", description="Length of the motion, seconds", unit="TIME_ABSOLUTE", override=_OVERRIDABLE
    )
    source_start_seconds: bpy.props.FloatProperty(
        name="Source Start", description="Time in the sound file at the take's start, seconds", override=_OVERRIDABLE
    )
    emotion: bpy.props.StringProperty(
        name="Emotion", description="Emotion and amount, as the list shows them", override=_OVERRIDABLE
    )
    has_neutral: bpy.props.BoolProperty(
        name="Neutral Rendering",
        description="Whether the take keeps the line without emotion, which Emotion Strength needs",
        override=_OVERRIDABLE,
    )
    has_capture: bpy.props.BoolProperty(
        name="From Video", description="Whether the take keeps the face of a video", override=_OVERRIDABLE
    )
    num_bytes: bpy.props.IntProperty(
        name="Size", description="Bytes that the raw motion takes in the file", override=_OVERRIDABLE
    )
    key_spacing: bpy.props.EnumProperty(
        name="Keys",
        description="How many keys are written when the take changes",
        items=[
            ("EVERY_FRAME", "Every Frame", "A key on every frame"),
            ("MILLIMETRE", "Sparse, Millimeters", "Few keys, with an error bound in millimeters on the face"),
            ("PERCENT", "Sparse, Percent", "Few keys, with an error bound in per cent of each channel's range"),
        ],
        default="EVERY_FRAME",
        override=_OVERRIDABLE,
    )
    key_error: bpy.props.FloatProperty(
        name="Error",
        description="Error bound of sparse keys, millimeters or per cent",
        default=0.25,
        min=0.001,
        override=_OVERRIDABLE,
    )
    refine: bpy.props.PointerProperty(type=EMOTE_PG_refine, override=_OVERRIDABLE)
    alive: bpy.props.PointerProperty(type=EMOTE_PG_alive, override=_OVERRIDABLE)
    capture: bpy.props.PointerProperty(type=EMOTE_PG_capture, override=_OVERRIDABLE)
