"""What the zip of the zipped functions holds, laid out as in the repository.

The standard library alone: the tests lay it out where CDK is not installed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.releases.shipping import import_closure

# One zip for all of them: code, policy, waivers, manifests and golden inputs are deployed together.
_HANDLERS: Final = "pipeline/functions/*/handler.py"
_DATA: Final = ("pipeline/functions/*/*.toml",)
_DECLARED: Final = (
    "containers/*/container.toml",
    "containers/*/golden/*",
    "containers/*/models.toml",
)


def lay_out(source: Path, declarations: Path, target: Path) -> Path:
    """Copy the code below `source` and the declarations below `declarations` to `target`."""
    for root, path in [*_code(source), *_declared(declarations)]:
        copy = target / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return target


def _code(source: Path) -> Iterator[tuple[Path, Path]]:
    """Every module that a handler imports, directly or not, and the data beside it."""
    handlers = (path.relative_to(source).with_suffix("") for path in source.glob(_HANDLERS))
    modules = import_closure(source, [".".join(path.parts) for path in handlers])
    data = (path for pattern in _DATA for path in source.glob(pattern))
    yield from ((source, path) for path in sorted({*modules, *data}))


def _declared(declarations: Path) -> Iterator[tuple[Path, Path]]:
    yield from (
        (declarations, path) for pattern in _DECLARED for path in declarations.glob(pattern)
    )
