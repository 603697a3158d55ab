"""A speech model's folder without a runtime: configuration, graphs, weights file."""
