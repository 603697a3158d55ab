"""A speech model's folder without a runtime: what its configuration says."""
