"""Build the open model from code alone: its recipe, its runs and its card."""
