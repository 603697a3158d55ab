"""Synthetic speech with phone times from free engines, and facial motion that matches it."""
