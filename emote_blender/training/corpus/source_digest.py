"""Digest of source code, to notice that generated files were made by other code."""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Callable
from types import ModuleType


def source_digest(*sources: ModuleType | Callable) -> str:
    """Digest (16 hex digits) of the code of modules and functions; comments, docstrings and formatting do not count."""
    code = "\n".join(_bare(inspect.getsource(source)) for source in sources)
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def _bare(code: str) -> str:
    """Python code without comments, docstrings and formatting."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
