"""What a training minimises, on the mesh and on pictures."""
