"""A face in a video: frames, landmarks, and the fit of a head to them, in stages."""
