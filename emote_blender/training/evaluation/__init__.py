"""How good a model is, measured on the posed mesh."""
