"""Many audio files in one call: the table of jobs, their runner, and the report."""
