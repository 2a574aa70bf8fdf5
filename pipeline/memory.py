"""How much memory this process holds, and whether what comes next still fits into its function."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Final

from pipeline.errors import OutOfMemory

_STATUS: Final = Path("/proc/self/status")


def peak_mb() -> float:
    """The most memory this process has held. getrusage would count its parent's too (fork)."""
    return round(_kilobytes("VmHWM") / 2**10, 1)


def require_free(wanted: int, *, limit_mb: int) -> None:
    """OutOfMemory if `wanted` bytes, beside what the process holds, are more than `limit_mb`."""
    held = _kilobytes("VmRSS") * 2**10
    if held + wanted > limit_mb * 2**20:
        raise OutOfMemory(
            f"it takes {wanted / 2**20:,.0f} MB beside the {held / 2**20:,.0f} MB in use; "
            f"the function has {limit_mb:,} MB"
        )


def _kilobytes(figure: str) -> int:
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    for line in lines:
        if line.startswith(f"{figure}:"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**10
