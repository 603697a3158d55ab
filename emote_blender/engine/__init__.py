"""Runs a model: everything in and out is numpy; a runtime is imported only when a model is opened with it."""
