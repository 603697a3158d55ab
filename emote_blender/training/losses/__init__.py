"""The losses of training, on the mesh and on rendered pictures."""
