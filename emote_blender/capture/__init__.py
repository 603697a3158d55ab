"""Captured faces and other programs' formats of them: files to motions and back. Knows ARKit's names, no scene."""
