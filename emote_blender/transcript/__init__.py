"""The words of a clip: text to phones, their alignment to the sound, and a report of words that do not match."""
