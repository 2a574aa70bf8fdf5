"""`make bench-audio`: what recordings cost, next to the tools people know; A="denoise imports".

Compared values are of one run: read the ratios. Recordings are those of MATTELINE_RECORDINGS, and
weights those that `make weights` keeps; peers are fetched once. Where one of them is missing, the
part says so. `A=standins`, networks of the larger models' shapes, runs only by name.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.cli.report import console
from tests.bench.audio import (
    beside_pyannote,
    denoise,
    hours,
    imports,
    memory,
    overhead,
    speakers,
    standins,
    tags,
    transcribe,
)
from tests.bench.figures import Missing

PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "denoise": denoise.main,
    "memory": memory.main,
    "transcribe": transcribe.main,
    "imports": imports.main,
    "overhead": overhead.main,
    "speakers": speakers.main,
    "peers": beside_pyannote.main,
    "tags": tags.main,
    "hours": hours.main,
    "standins": standins.main,
}
_ONLY_BY_NAME: Final = {"hours", "standins"}


def main(*wanted: str) -> None:
    if unknown := sorted({*wanted} - {*PARTS}):
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in wanted or [part for part in PARTS if part not in _ONLY_BY_NAME]:
        started = time.monotonic()
        try:
            PARTS[name]()
        except Missing as why:
            console().print(f"{name}: not measured: {why}")
        else:
            console().print(f"{name}: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
