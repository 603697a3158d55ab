"""Training of the motion prior and of EMOTE, and their judgement. Not part of the zip."""
