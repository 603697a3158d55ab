"""Videos of the open head's picture, with and without sound, and their strips in the sequencer."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np
from face_videos import scene as faces_in
from face_videos import write_video

from emote_blender.blender.narrow import expect

H264 = {"codec": "libx264", "pixel_format": "yuv420p", "options": {"crf": "14"}}


def film(path: Path, num_frames: int = 16, faces=((120.0, 150.0, 1.0),), fps: int = 25) -> Path:
    """A video in which faces move to the right by a pixel a frame; (x, y, size) of each, as `face_videos.scene`."""
    pictures = [faces_in(320, 300, [(x + number, y, size) for x, y, size in faces]) for number in range(num_frames)]
    return write_video(path, pictures, fps, **H264)


def with_sound(video: Path, path: Path, samples: np.ndarray, sample_rate: int = 16000) -> Path:
    """A copy of a video with a sound track of (N,) samples."""
    import av

    with av.open(str(video)) as source, av.open(str(path), "w") as target:
        shown = source.streams.video[0]
        copied = target.add_stream_from_template(shown)
        sound = target.add_stream("pcm_s16le", rate=sample_rate)
        for packet in source.demux(shown):
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
        whole = np.clip(samples * 32767, -32768, 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
        for packet in (*sound.encode(frame), *sound.encode(None)):
            target.mux(packet)
    return path


def new_movie_strip(
    scene: bpy.types.Scene, path: Path, name: str = "Clip", channel: int = 2, frame_start: int = 11
) -> bpy.types.MovieStrip:
    """A new movie strip in a scene's sequencer."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strip = editor.strips.new_movie(name=name, filepath=str(path), channel=channel, frame_start=frame_start)
    return expect(strip, bpy.types.MovieStrip)


def cut(strip: bpy.types.Strip, left: int, right: int) -> None:
    """Set the first frame of a strip and the frame after its last one."""
    if hasattr(strip, "left_handle"):
        strip.left_handle, strip.right_handle = left, right
    else:
        strip.frame_final_start, strip.frame_final_end = left, right
