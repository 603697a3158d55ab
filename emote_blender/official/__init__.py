"""The authors' files, read without running anything in them, to folders of ours."""
