"""Strips, heads, keyframes and takes of a scene."""
