"""`train emote`: both stages of EMOTE."""
