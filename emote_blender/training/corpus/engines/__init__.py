"""Free speech engines, and what they say with phone times."""
