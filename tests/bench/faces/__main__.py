"""`make bench-faces`: faces next to face-api in Node and facenet-pytorch; A="parity times".

Compared values are of one run: read the ratios. Photos are those of MATTELINE_PHOTOS, of face-api's
package and of scikit-image, and weights those that `make weights` keeps. What is missing is named,
and the rest is measured.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.cli.report import console
from tests.bench.faces import job, memory, packages, parity, plateau, times
from tests.bench.figures import Missing

PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "parity": parity.main,
    "times": times.main,
    "memory": memory.main,
    "plateau": plateau.main,
    "packages": packages.main,
    "job": job.main,
}


def main(*wanted: str) -> None:
    if unknown := sorted({*wanted} - {*PARTS}):
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in wanted or PARTS:
        started = time.monotonic()
        try:
            PARTS[name]()
        except Missing as why:
            console().print(f"{name}: not measured: {why}")
        else:
            console().print(f"{name}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
