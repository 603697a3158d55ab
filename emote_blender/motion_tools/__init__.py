"""Pure functions on motion: time and rotation."""
