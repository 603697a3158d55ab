"""Where batches come from: the corpus, MEAD, a folder of motions."""
