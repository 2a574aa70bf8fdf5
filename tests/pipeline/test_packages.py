"""A package's `__init__` holds a docstring and nothing else.

An import in it would put the imported modules into every image that uses the package.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = sorted((ROOT / "pipeline").rglob("__init__.py"))


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.parent.name)
def test_an_init_file_holds_only_a_docstring(path: Path) -> None:
    match ast.parse(path.read_bytes()).body:
        case [ast.Expr(ast.Constant(value=str(docstring)))]:
            assert docstring.strip()
        case statements:
            pytest.fail(f"{path}: {len(statements)} statements")
