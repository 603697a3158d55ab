"""Coefficients to a posed mesh to pictures, with gradients."""
