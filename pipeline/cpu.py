"""Which kind of CPU this is, as far as an optimised network depends on it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Final

_CPUINFO: Final = Path("/proc/cpuinfo")
_X86_LEVELS: Final = ("avx512f", "avx2", "avx", "sse2")
_SAME: Final = {"arm64": "aarch64", "amd64": "x86_64"}


def cpu_family(machine: str = platform.machine(), cpuinfo: str | None = None) -> str | None:
    """Return `x86_64-avx512f`, `x86_64-avx2`, `aarch64`, …; None if the CPU's flags are unknown.

    onnxruntime stores weights in blocks as wide as the CPU's vectors: on arm64 all CPUs are alike,
    on x86-64 the widest instructions decide. VNNI does not count: the products in 8 bits that
    the optimiser writes are the same with and without it.
    """
    machine = _SAME.get(machine.lower(), machine.lower())
    if machine != "x86_64":
        return machine or None
    text = cpuinfo if cpuinfo is not None else _read_cpuinfo()
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    level = next((level for level in _X86_LEVELS if level in flags), None)
    return f"{machine}-{level}" if level else None


def _read_cpuinfo() -> str:
    return _CPUINFO.read_text() if _CPUINFO.exists() else ""
