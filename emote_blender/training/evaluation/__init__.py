"""Measures of a model's quality on the posed mesh."""
