"""Bases of expressions: which coefficients a head can show."""
