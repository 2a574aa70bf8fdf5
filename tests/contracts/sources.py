"""Reads Python files without running them: what they import, whether they read the environment."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

from tests.contracts.declared import ROOT

_ENVIRONMENT: Final = frozenset({"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"})

# boto3 is a thin face of these, and each release of it names the releases it comes with.
_COMES_WITH: Final = {"botocore": "boto3", "s3transfer": "boto3"}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def environment_uses(path: Path) -> list[str]:
    """Every mention of the process's environment, as `file:line`."""
    place = f"{path.parent.name}/{path.name}"
    return [f"{place}:{line}" for line in sorted(_environment_lines(parse(path)))]


def _environment_lines(tree: ast.Module) -> set[int]:
    from_os = {
        alias.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "os"
        for alias in node.names
        if alias.name in _ENVIRONMENT | {"*"}
    }
    return from_os | {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in _ENVIRONMENT
        and ast.unparse(node.value) == "os"
    }


def imported_modules(path: Path) -> frozenset[str]:
    """Every module a file imports when it runs, also inside functions; `from a import b` is a.b."""
    return frozenset(name for node in _running(parse(path)) for name in _named(node))


def distributions(files: Iterable[Path]) -> frozenset[str]:
    """What has to be installed for `files` to run, following them through `pipeline`."""
    modules: set[str] = set()
    ahead, seen = list(files), set[Path]()
    while ahead:
        path = ahead.pop()
        if path not in seen:
            seen.add(path)
            modules |= imported_modules(path)
            ahead += [file for name in imported_modules(path) for file in _pipeline_file(name)]
    packages = {name.split(".")[0] for name in modules} - sys.stdlib_module_names
    return frozenset(_distribution(name) for name in packages - {"pipeline", "containers"})


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from _running(node)


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _pipeline_file(module: str) -> Iterator[Path]:
    """The file of `pipeline.photo.pixels`, also when asked for `pipeline.photo.pixels.decode`."""
    parts = module.split(".")
    for length in (len(parts), len(parts) - 1):
        path = ROOT.joinpath(*parts[:length]).with_suffix(".py")
        if parts[0] == "pipeline" and path.is_file():
            yield path


@cache
def _installed() -> dict[str, list[str]]:
    return dict(packages_distributions())


def _distribution(package: str) -> str:
    (name,) = set(_installed()[_COMES_WITH.get(package, package)])
    return name.lower().replace("_", "-")
