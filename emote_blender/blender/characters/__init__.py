"""Characters that have no head of this add-on: what moves them."""
