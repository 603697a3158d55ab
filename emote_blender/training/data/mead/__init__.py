"""The processed MEAD data set in the layout that EMOTE's authors published."""
