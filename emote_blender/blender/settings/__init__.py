"""The user's choices: settings of a scene, of its strips and of the preferences, and what they refer to."""
