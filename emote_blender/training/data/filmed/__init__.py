"""Videos to training data: the motion of the face, where it was seen, the sound, and emotion features."""
