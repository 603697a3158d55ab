"""One run of a training: its loop, folder, log and processes. Knows no faces."""
