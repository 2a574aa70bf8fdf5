"""Compare memory sizes of a model's function: time, price, and which one to propose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.declared.costs import DOLLARS_PER_GB_S, MB_PER_CPU

Preference = Literal["speed", "cost", "balanced"]

DEFAULT_SIZES: Final = (1024, 1769, 3008, 3538, 5307, 7076, 10240)
LEAST_MEMORY_MB: Final = 128
OUT_OF_MEMORY: Final = "OutOfMemory"
DOLLARS_PER_REQUEST: Final = 0.20 / 1e6  # Lambda, us-east-1
_RESERVE: Final = 1.1  # memory above the measured peak, as in `models.toml`
_NEAR: Final = 1.1  # times and prices that differ by less count as equal


@dataclass(frozen=True)
class Spent:
    """What one call took: wall seconds and CPU-seconds, with `threads` at work."""

    seconds: float
    cpu_s: float
    threads: int

    def on_lambda(self, memory_mb: int) -> float:
        """Return the seconds of the same call in a function with this memory.

        The call is taken apart: work of one thread, work that all threads share, and waiting. The
        first is no faster with a second CPU; waiting needs none. After a call with one thread it
        is unknown what threads would share: all of the work, if the function has several.
        """
        cpus, threads = cpus_with(memory_mb), threads_with(memory_mb)
        if self.threads > 1:
            saved = (self.cpu_s - self.seconds) * self.threads / (self.threads - 1)
            shared = min(self.cpu_s, max(0.0, saved))
        else:
            shared = self.cpu_s if threads > 1 else 0.0
        alone = self.cpu_s - shared
        waited = max(0.0, self.seconds - alone - shared / self.threads)
        return waited + alone / min(1.0, cpus) + shared / min(cpus, threads)


@dataclass(frozen=True)
class Size:
    """What a function with this memory takes; `error` is why it has no result.

    `seconds` and `peak_mb` are of a warm call. `start_s` is the start of the process, `load_s` what
    the first call takes longer than a warm one. `calculated` times come from CPU-seconds, others
    were measured.
    """

    memory_mb: int
    seconds: float | None = None
    peak_mb: float | None = None
    cpu_s: float | None = None
    start_s: float | None = None
    load_s: float | None = None
    calculated: bool = False
    error: str = ""

    @property
    def cpus(self) -> float:
        return cpus_with(self.memory_mb)

    @property
    def dollars_per_1000(self) -> float | None:
        """Return Lambda's price of 1,000 warm calls, with their requests."""
        if self.seconds is None:
            return None
        return 1000 * price(self.memory_mb, self.seconds)

    def holds(self, peak_mb: float) -> bool:
        """Return True if the call ended well, and this peak leaves some memory in reserve."""
        return not self.error and peak_mb * _RESERVE <= self.memory_mb


@dataclass(frozen=True)
class Tuning:
    """The sizes of a model's function that were tried, and the one that is proposed, if any holds.

    `given` says what the calls worked on, `where` on what they ran, with how many `cores`; None on
    Lambda, where nothing is calculated.
    """

    model: str
    container: str
    where: str
    cores: int | None
    given: str
    golden: bool
    present_mb: int
    prefer: Preference
    sizes: tuple[Size, ...]

    @property
    def proposed(self) -> Size | None:
        return propose(self.sizes, self.prefer)


def cpus_with(memory_mb: int) -> float:
    """Return how many CPUs Lambda gives a function with this memory."""
    return memory_mb / MB_PER_CPU


def threads_with(memory_mb: int) -> int:
    """Return with how many threads a call works on Lambda, as `workbench.Settings` decides."""
    return max(1, round(cpus_with(memory_mb)))


def price(memory_mb: int, seconds: float) -> float:
    """Return the dollars of one call."""
    return memory_mb / 1024 * seconds * DOLLARS_PER_GB_S + DOLLARS_PER_REQUEST


def propose(sizes: Sequence[Size], prefer: Preference) -> Size | None:
    """Return the size to use; None if no size holds.

    A size holds if it is above the largest peak of all sizes, with a tenth in reserve.

    `speed` is the cheapest of those that take at most 10% longer than the fastest, `cost` the
    fastest of those at most 10% dearer than the cheapest. `balanced` has the smallest product of
    time and price, and of equal ones the smallest memory.
    """
    peak_mb = max((size.peak_mb for size in sizes if size.peak_mb and not size.error), default=0.0)
    known = [
        (size, size.seconds, size.dollars_per_1000)
        for size in sorted(sizes, key=lambda size: size.memory_mb)
        if size.holds(peak_mb) and size.seconds is not None and size.dollars_per_1000 is not None
    ]
    if not known:
        return None
    if prefer == "speed":
        fastest = min(seconds for _, seconds, _ in known)
        near = [each for each in known if each[1] <= fastest * _NEAR]
        return min(near, key=lambda each: each[2])[0]
    if prefer == "cost":
        cheapest = min(dollars for _, _, dollars in known)
        near = [each for each in known if each[2] <= cheapest * _NEAR]
        return min(near, key=lambda each: each[1])[0]
    return min(known, key=lambda each: each[1] * each[2])[0]
