"""What a person sees: panels and preferences."""
