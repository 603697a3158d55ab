"""Landmarks of a tracked face to the motion of a head: camera, identity, neutral face, then every frame."""
