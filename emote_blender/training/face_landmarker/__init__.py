"""The face landmarker's networks from the package that holds them to a folder of ours; run by `build.py landmarker`."""
