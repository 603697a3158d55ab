"""Conversion of the authors' files to folders of ours, without running anything in them."""
