"""Augmentation of waveforms and of spectrograms."""
