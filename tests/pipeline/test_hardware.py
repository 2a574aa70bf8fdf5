"""Memory in use is what the kernel cannot drop, and code; a CPU's kind is its widest vectors."""

from __future__ import annotations

import gc
import mmap
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from pipeline import hardware
from pipeline.errors import OutOfMemory
from pipeline.hardware import cores, cpu_family, threads_each
from tests.conftest import ROOT

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")

SIZE: Final = 64 * 2**20
WEIGHTS: Final = 256 * 2**20
CODE_MB: Final = 100
_IN_USE: Final = re.compile(r"in addition to ([\d,]+) MB in use")


@pytest.fixture(autouse=True)
def no_garbage() -> Iterator[None]:
    """Free what earlier tests left, and nothing while this one measures."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def in_use_mb() -> int:
    with pytest.raises(OutOfMemory) as refused:
        hardware.require_free(2**40, limit_mb=1)
    found = _IN_USE.search(refused.value.message)
    assert found
    return int(found[1].replace(",", ""))


def resident_mb() -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines()
               if line.startswith("VmRSS"))  # fmt: skip
    return int(line.split()[1]) // 2**10


def touch(pages: mmap.mmap) -> None:
    for offset in range(0, len(pages), mmap.PAGESIZE):
        pages[offset]


@linux
def test_mapped_weights_do_not_count(tmp_path: Path) -> None:
    weights = tmp_path / "network.onnx.data"
    weights.touch()
    os.truncate(weights, WEIGHTS)
    resident, before = resident_mb(), in_use_mb()

    with weights.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as pages:
        touch(pages)

        assert resident_mb() - resident > 240
        assert in_use_mb() - before < CODE_MB


@linux
def test_code_counts_although_it_is_mapped() -> None:
    figures = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    own = sum(int(figures[name].split()[0]) for name in ("RssAnon", "RssShmem")) / 2**10

    assert in_use_mb() > own + 5


@linux
def test_the_processs_own_memory_counts() -> None:
    assert grown_mb(r"pixels = bytearray(b'\x01' * SIZE)") > 56


def grown_mb(statement: str) -> int:
    """Return how much a statement adds to the memory in use of a fresh process.

    The process of the tests has gigabytes, and the kernel may take some of it back meanwhile.
    """
    program = (
        "import mmap; from tests.pipeline.test_hardware import SIZE, in_use_mb; "
        f"before = in_use_mb(); {statement}; print(in_use_mb() - before)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(ended.stdout)


@linux
def test_shared_memory_counts() -> None:
    assert grown_mb(r"shared = mmap.mmap(-1, SIZE); shared.write(b'\x01' * SIZE)") > 56


@linux
@pytest.mark.parametrize(("over_mb", "fits"), [(64, True), (-64, False)])
def test_wanted_memory_must_fit_in_addition_to_memory_in_use(over_mb: int, *, fits: bool) -> None:
    wanted_mb = 512
    limit_mb = in_use_mb() + wanted_mb + over_mb

    if fits:
        hardware.require_free(wanted_mb * 2**20, limit_mb=limit_mb)
        return
    with pytest.raises(OutOfMemory, match="needs 512 MB in addition to"):
        hardware.require_free(wanted_mb * 2**20, limit_mb=limit_mb)


@linux
def test_without_the_kernels_figures_the_peak_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = in_use_mb()
    (tmp_path / "status").write_text("VmRSS:\t1 kB\n")
    monkeypatch.setattr(hardware, "_STATUS", tmp_path / "status")

    assert in_use_mb() >= before


def cpuinfo(flags: str) -> str:
    return f"processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: {flags}\nbogomips\t: 1\n"


@pytest.mark.parametrize(
    ("flags", "family"),
    [
        ("fpu sse2 avx avx2 avx512f avx512bw", "x86_64-avx512f"),
        ("fpu sse2 avx avx2 avx512f avx512_vnni", "x86_64-avx512f"),
        ("fpu sse2 avx avx2 avx_vnni", "x86_64-avx2"),
        ("fpu sse2 avx avx2", "x86_64-avx2"),
        ("fpu sse2 avx", "x86_64-avx"),
        ("fpu sse2", "x86_64-sse2"),
        ("fpu", None),
    ],
)
@pytest.mark.parametrize("machine", ["x86_64", "AMD64"])
def test_on_x86_the_widest_vectors_count_and_vnni_does_not(
    machine: str, flags: str, family: str | None
) -> None:
    assert cpu_family(machine, cpuinfo(flags)) == family


@pytest.mark.parametrize("machine", ["aarch64", "arm64"])
def test_all_arm_cpus_are_alike(machine: str) -> None:
    assert cpu_family(machine, cpuinfo("fp asimd")) == "aarch64"


def test_an_x86_cpu_without_flags_has_no_kind() -> None:
    assert cpu_family("x86_64", "") is None


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="no /proc/cpuinfo here")
def test_this_machines_cpu_has_a_kind() -> None:
    family = cpu_family()

    assert family is not None
    assert family.startswith(platform.machine())


@linux
def test_only_cores_that_the_process_may_use_count() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)


@pytest.mark.parametrize(
    ("count", "calls", "threads"), [(2, 1, 2), (2, 2, 1), (8, 4, 2), (8, 3, 2), (1, 4, 1)]
)
def test_concurrent_calls_share_the_cores(
    count: int, calls: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "cores", lambda: count)

    assert threads_each(calls) == threads


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators have no such limit")
@pytest.mark.parametrize(("first", "in_the_heap"), [("pass", True), ("map_large_blocks()", False)])
def test_large_blocks_lie_outside_the_heap_once_they_are_mapped(
    first: str, *, in_the_heap: bool
) -> None:
    """By default glibc puts blocks in the heap that are no larger than one freed before."""
    program = f"""
import ctypes
from pathlib import Path
from pipeline.hardware import map_large_blocks
{first}
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.free(libc.malloc(16 * 2**20))
block = libc.malloc(8 * 2**20)
lines = Path("/proc/self/maps").read_text().splitlines()
heap = [line.split()[0].split("-") for line in lines if "[heap]" in line]
ranges = [[int(end, 16) for end in each] for each in heap]
print(any(start <= block < stop for start, stop in ranges))
"""
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT, text=True
    )

    assert told.stdout.strip() == str(in_the_heap)


@pytest.mark.parametrize(
    ("starts", "counts", "devices", "found"),
    [
        pytest.param(0, 0, 1, 1, id="one"),
        pytest.param(0, 0, 0, 0, id="none"),
        pytest.param(100, 0, 1, 0, id="no-device"),
        pytest.param(0, 3, 1, 0, id="driver-fails"),
    ],
)
def test_gpus_are_those_that_the_driver_counts(
    starts: int, counts: int, devices: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(told: Any) -> int:
        told._obj.value = devices
        return counts

    driver = SimpleNamespace(cuInit=lambda _flags: starts, cuDeviceGetCount=count)
    monkeypatch.setattr("ctypes.CDLL", lambda name: {"libcuda.so.1": driver}[name])

    assert hardware.gpus.__wrapped__() == found


def test_without_a_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise OSError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr("ctypes.CDLL", missing)

    assert hardware.gpus.__wrapped__() == 0
