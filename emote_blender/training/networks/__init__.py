"""Perceptual networks, their model folders, and weights from other projects."""
