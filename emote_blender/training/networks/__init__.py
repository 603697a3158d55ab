"""Perceptual networks and where weights come from; each in a folder of its own."""
