"""`make bench-search`: collections of vectors next to bare faiss and to NumPy; A="exact warm".

Compared values are of one run: read the ratios. Vectors are synthetic faces: ten of each person,
whose cosine is 0.735 in the mean, and people far apart.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.cli.report import console
from tests.bench.search import approximate, cold, exact, forgotten, memory, million, races, warm

PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "exact": exact.main,
    "warm": warm.main,
    "memory": memory.main,
    "cold": cold.main,
    "approximate": approximate.main,
    "forgotten": forgotten.main,
    "races": races.main,
    "million": million.main,
}


def main(*wanted: str) -> None:
    if unknown := sorted({*wanted} - {*PARTS}):
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in wanted or PARTS:
        started = time.monotonic()
        PARTS[name]()
        console().print(f"{name}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
