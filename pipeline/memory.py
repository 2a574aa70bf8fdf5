"""How much memory this process holds, and whether what comes next still fits into its function."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Final

from pipeline.errors import OutOfMemory

_STATUS: Final = Path("/proc/self/status")
_CODE_KB: Final = 100 * 2**10  # Python and libraries: 41 MB once onnxruntime has run
_RSS_UNITS_PER_KB: Final = 2**10 if sys.platform == "darwin" else 1


def peak_mb() -> float:
    """The most memory this process has held. getrusage would count its parent's too (fork)."""
    return round(_kilobytes("VmHWM") / 2**10, 1)


def require_free(wanted: int, *, limit_mb: int) -> None:
    """OutOfMemory if `wanted` bytes, beside what the process holds, are more than `limit_mb`.

    Mapped files count only as far as code takes: weights are clean pages, which the kernel takes
    back when it needs room, and reads again. (Measured without swap: 512 MB of a mapped file gone
    at once, and read again in 0.4 s; 512 MB of the process's own stayed.)
    """
    files = min(_kilobytes("RssFile"), _CODE_KB)
    held = (_kilobytes("RssAnon", "RssShmem") + files) * 2**10
    if held + wanted > limit_mb * 2**20:
        raise OutOfMemory(
            f"it takes {wanted / 2**20:,.0f} MB beside the {held / 2**20:,.0f} MB in use; "
            f"the function has {limit_mb:,} MB"
        )


def _kilobytes(*figures: str) -> int:
    """The sum of what the kernel says of each; where it says nothing, the most there ever was."""
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    told = dict(line.split(":", 1) for line in lines)
    if not told.keys() >= set(figures):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _RSS_UNITS_PER_KB
    return sum(int(told[figure].split()[0]) for figure in figures)
