"""Random texts to synthesise."""
