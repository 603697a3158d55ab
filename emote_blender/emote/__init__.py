"""EMOTE (speech and emotion to FLAME parameters) and FLINT (its motion prior), as plain PyTorch modules."""
