"""The kind of a CPU is named by what an optimised network depends on."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from pipeline.hardware import cpu_family


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
def test_on_arm_all_are_alike(machine: str) -> None:
    assert cpu_family(machine, cpuinfo("fp asimd")) == "aarch64"


def test_an_x86_that_does_not_tell_has_no_kind() -> None:
    assert cpu_family("x86_64", "") is None


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="no /proc/cpuinfo here")
def test_this_machine_has_one() -> None:
    family = cpu_family()

    assert family is not None
    assert family.startswith(platform.machine())
