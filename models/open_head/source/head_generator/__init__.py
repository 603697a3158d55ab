"""Generator of the open head: a sculpt, a quad mesh on it, a rig and its shapes, from code alone (numpy and scipy).

The way it takes: surface (the sculpt as a distance field) -> topology (which vertices and quads there are) ->
placement (where they lie: pins, eyelids, mouth, ear) -> mesh (skin and parts in one) -> rig (joints, weights) ->
face_coordinates and the shape modules (expression and identity directions) -> landmarks, regions,
texture_coordinates -> head (the FaceModel that is saved).

Coordinates are metres, y up, the face looks along +z, +x is the character's left. Only the left side is written down;
the right side is its exact mirror image.
"""
