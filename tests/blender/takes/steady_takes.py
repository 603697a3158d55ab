"""Motions in which one component is steady, and what a head shows of its takes."""

import numpy as np

from emote_blender.motion import FaceMotion


def steady(value=0.5, num_frames=25, component=1):
    """A motion that holds one component and the jaw."""
    expression = np.zeros((num_frames, 6))
    expression[:, component] = value
    meta = {"emotion": "anger", "intensity": 1.0}
    return FaceMotion(expression, np.tile([value / 2, 0.0, 0.0], (num_frames, 1)), 25, meta=meta)


def shown(scene, head, frame):
    """Value of component 1 at a frame."""
    scene.frame_set(frame)
    return round(head.data.shape_keys.key_blocks["component1"].value, 4)


def strips(head):
    """Track and action of every strip on the shape keys, without the rest track."""
    return [
        (track.name, strip.action.name)
        for track in head.data.shape_keys.animation_data.nla_tracks
        for strip in track.strips
        if track.name != "EMOTE Rest"
    ]
