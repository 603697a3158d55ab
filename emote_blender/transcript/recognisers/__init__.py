"""Speech recognisers: a waveform to words with their times, behind one interface."""
