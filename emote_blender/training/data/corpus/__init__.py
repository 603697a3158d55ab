"""The generated corpus as clips, as batches, and as rendered films."""
