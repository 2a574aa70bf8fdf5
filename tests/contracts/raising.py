"""Reads which named errors Python files may raise, without running them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

_DEFINITIONS: Final = ("pipeline", "errors.py")


def errors_named(files: Iterable[Path], errors: Collection[str]) -> frozenset[str]:
    """Return those of `errors` that a file names where it may raise them.

    A name in an import, an annotation, an `except` clause or a call of `isinstance` does not count.
    """
    trees = (
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for path in files
        if path.parts[-2:] != _DEFINITIONS
    )
    return frozenset(name for tree in trees for name in _named(tree) if name in errors)


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
        return
    caught = {"type"} if isinstance(node, ast.ExceptHandler) else set()
    for field, value in ast.iter_fields(node):
        children = value if isinstance(value, list) else [value]
        for child in children if field not in {"annotation", "returns", *caught} else ():
            if isinstance(child, ast.AST):
                yield from _named(child)
