"""The face model: FLAME's arrays, how they are stored, and how they are posed."""
