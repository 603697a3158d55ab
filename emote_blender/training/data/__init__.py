"""Training batches from the generated corpus, from MEAD, or from a folder of motions."""
