"""Generator of the open head: a sculpt, a quad mesh on it, a rig and its shapes, from code alone (numpy and scipy).

The steps are surface (the sculpt as a distance field), topology (vertices and quads without positions), placement
(positions of the skin, with pins, eyelids, mouth and ear), mesh (skin and other parts together), rig (joints and
weights), face_coordinates and the shape modules (expression and identity directions), landmarks, regions,
texture_coordinates, and head (the FaceModel that is saved).

Coordinates are metres, y up; the face looks along +z, and +x is the character's left. The code describes the left side
only; the right side is its exact mirror image.
"""
