"""`train emotion`: the emotion networks, per frame and over frames."""
