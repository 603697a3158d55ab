"""Operators, one file per noun: thin, over plain functions of the other rooms."""
