"""Measure this process's memory; count this machine's CPU cores and GPUs."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import resource
import sys
from pathlib import Path
from typing import Final

from pipeline.errors import OutOfMemory

_MMAP_THRESHOLD: Final = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE_BLOCK_BYTES: Final = 4 * 2**20
_STATUS: Final = Path("/proc/self/status")
_CODE_KB: Final = 100 * 2**10  # upper bound for Python and libraries: 41 MB after onnxruntime ran
_RSS_UNITS_PER_KB: Final = 2**10 if sys.platform == "darwin" else 1
_CPUINFO: Final = Path("/proc/cpuinfo")
_X86_LEVELS: Final = ("avx512f", "avx2", "avx", "sse2")
_SAME: Final = {"arm64": "aarch64", "amd64": "x86_64"}


def peak_mb() -> float:
    """Return the peak memory of this process. getrusage would include its parent's (fork)."""
    return round(_kilobytes("VmHWM") / 2**10, 1)


def require_free(wanted: int, *, limit_mb: int) -> None:
    """Raise OutOfMemory if `wanted` bytes and the memory in use exceed `limit_mb`.

    Of mapped files only code counts, at most 100 MB: weights are clean pages, which the kernel
    drops when it needs memory and reads again later. (Measured without swap: 512 MB of a mapped
    file were dropped at once and read again in 0.4 s; 512 MB of the process's own memory stayed.)
    """
    files = min(_kilobytes("RssFile"), _CODE_KB)
    held = (_kilobytes("RssAnon", "RssShmem") + files) * 2**10
    if held + wanted > limit_mb * 2**20:
        raise OutOfMemory(
            f"needs {wanted / 2**20:,.0f} MB in addition to {held / 2**20:,.0f} MB in use; "
            f"the function has {limit_mb:,} MB"
        )


def _kilobytes(*figures: str) -> int:
    """Return the sum of the kernel's figures; the peak so far if the kernel lacks one of them."""
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    reported = dict(line.split(":", 1) for line in lines)
    if not reported.keys() >= set(figures):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _RSS_UNITS_PER_KB
    return sum(int(reported[figure].split()[0]) for figure in figures)


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def gpus() -> int:
    """Return how many NVIDIA GPUs this process may use; 0 without their driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def memory_mb() -> int:
    """Return how much memory this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def map_large_blocks() -> None:
    """Have glibc map blocks from 4 MB on one by one, so that each is returned when it is freed.

    By default it raises this limit to 32 MB, the largest that it has returned. Tiles of a network
    then leave holes between blocks that live longer: 3.4 GB instead of 1.0 in a stage of Swin-L.
    Other allocators have nothing to set.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


def threads_each(calls: int) -> int:
    """Return how many threads each of `calls` concurrent calls has, so that all share the cores."""
    return max(1, cores() // calls)


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
