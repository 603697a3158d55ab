"""The processed MEAD in its authors' layout."""
