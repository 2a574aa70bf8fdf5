"""Which kind of CPU this is, as far as an optimised network depends on it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Final

_CPUINFO: Final = Path("/proc/cpuinfo")
_X86_LEVELS: Final = ("avx512f", "avx2", "avx", "sse2")
_VNNI: Final = {"avx512_vnni", "avx_vnni"}
_SAME: Final = {"arm64": "aarch64", "amd64": "x86_64"}


def cpu_family(machine: str = platform.machine(), cpuinfo: str | None = None) -> str | None:
    """`x86_64-avx512f-vnni`, `x86_64-avx2`, `aarch64`, …; None where it cannot be told.

    onnxruntime lays weights out in blocks as wide as the CPU's vectors: on arm64 all are alike, on
    x86-64 it depends on the widest instructions the CPU has. Without VNNI, pairs of 8-bit products
    are added in 16 bits, which may not hold them: the answer is another, and proves nothing here.
    """
    machine = _SAME.get(machine.lower(), machine.lower())
    if machine != "x86_64":
        return machine or None
    text = cpuinfo if cpuinfo is not None else _read_cpuinfo()
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    level = next((level for level in _X86_LEVELS if level in flags), None)
    vnni = "" if _VNNI.isdisjoint(flags) else "-vnni"
    return f"{machine}-{level}{vnni}" if level else None


def _read_cpuinfo() -> str:
    return _CPUINFO.read_text() if _CPUINFO.exists() else ""
