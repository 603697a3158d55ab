"""Pure functions on motions: clocks and rotations."""
