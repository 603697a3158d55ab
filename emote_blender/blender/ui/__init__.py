"""The user interface: panels and preferences."""
