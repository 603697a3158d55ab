"""Phones, loudness and emotion to the motion of the open head."""
