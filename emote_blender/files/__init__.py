"""Files: reading and writing of plain values, without knowledge of faces."""
