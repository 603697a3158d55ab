"""Sound files as people have them: what a file announces, what of it is missing, and its samples outside Blender."""
