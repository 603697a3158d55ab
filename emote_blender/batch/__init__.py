"""Batches of audio files: the table of jobs, their runner, and the report."""
