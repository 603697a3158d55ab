"""The demonstration of `build.py demo`; not in the zip."""
