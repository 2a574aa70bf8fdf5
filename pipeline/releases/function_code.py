"""Collect the files of the zip that all zipped functions share, with the repository's layout.

Imports only the standard library, so that tests can use it without CDK.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.releases.shipping import import_closure

# One zip for all functions: code, policy, waivers, declarations and golden inputs deploy together.
_HANDLERS: Final = "pipeline/functions/*/handler.py"
_DATA: Final = ("pipeline/functions/*/*.toml",)
_DECLARED: Final = (
    "containers/*/container.toml",
    "containers/*/golden/**/*",
    "containers/*/models.toml",
    "state_machines/*.product.toml",
)


def lay_out(source: Path, declarations: Path, target: Path) -> Path:
    """Copy the code below `source` and the declarations below `declarations` to `target`."""
    for root, path in [*_code(source), *_declared(declarations)]:
        copy = target / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return target


def _code(source: Path) -> Iterator[tuple[Path, Path]]:
    """Yield every module that a handler imports, directly or not, and the functions' data files."""
    handlers = (path.relative_to(source).with_suffix("") for path in source.glob(_HANDLERS))
    modules = import_closure(source, [".".join(path.parts) for path in handlers])
    data = (path for pattern in _DATA for path in source.glob(pattern))
    yield from ((source, path) for path in sorted({*modules, *data}))


def _declared(declarations: Path) -> Iterator[tuple[Path, Path]]:
    yield from (
        (declarations, path)
        for pattern in _DECLARED
        for path in declarations.glob(pattern)
        if path.is_file()
    )
