"""`python -m tests.bench.audio [NAME …]`: run every benchmark of this folder, or those named."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main(*wanted: str) -> None:
    found = [module.name for module in pkgutil.iter_modules([str(FOLDER)])]
    names = [name for name in found if not name.startswith("_")]
    if unknown := sorted({*wanted} - {*names}):
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(names)}")
    for name in wanted or names:
        importlib.import_module(f"tests.bench.audio.{name}").main()


if __name__ == "__main__":
    main(*sys.argv[1:])
