"""The generated corpus as clips, batches and films."""
