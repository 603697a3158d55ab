"""Sentences to synthesise."""
