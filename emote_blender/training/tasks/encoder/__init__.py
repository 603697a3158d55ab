"""`train encoder`: a Wav2Vec 2.0 encoder from nothing."""
