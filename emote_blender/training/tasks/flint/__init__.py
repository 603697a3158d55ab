"""`train flint`: the motion prior."""
