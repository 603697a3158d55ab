"""Fixtures that several folders of tests share."""

from tiny_models import make_tiny_config, make_tiny_model, reference, tiny_model_folder

__all__ = ["make_tiny_config", "make_tiny_model", "reference", "tiny_model_folder"]
