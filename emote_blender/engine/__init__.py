"""Engines run a model. Their interface is numpy; a runtime is imported only when a model is opened with it."""
