"""The words of a clip: text to phones, phones aligned to the sound, and what of the text the sound does not hold."""
