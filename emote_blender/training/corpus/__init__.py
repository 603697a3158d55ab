"""Speech with phone times from free engines, and the motion that belongs to it."""
