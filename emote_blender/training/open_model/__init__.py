"""The open model from code alone: its recipe, its runs, its card."""
