"""`train lips`: the lip reader."""
