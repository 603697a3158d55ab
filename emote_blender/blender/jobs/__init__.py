"""Long work: from a request to a motion, on a thread that never touches bpy."""
