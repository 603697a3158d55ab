"""One training run: its loop, settings, folder, log and processes. Nothing here knows about faces."""
