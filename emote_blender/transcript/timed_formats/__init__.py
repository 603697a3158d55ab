"""One file per family of timed texts: each reads a text into cues as they are written, with markup and faulty times.

Lines of the texts end in a line feed.
"""
