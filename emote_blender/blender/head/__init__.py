"""A head in Blender: its mesh, bones, shape keys and materials."""
