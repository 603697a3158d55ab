"""Why does nothing move? What keeps a head's takes from playing or being heard, in one sentence each, with its fix."""
