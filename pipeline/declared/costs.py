"""What a model costs: measured facts about its network, and what Lambda takes for them."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from pipeline.declared.declaration import Declaration

MB_PER_CPU: Final = 1769  # the memory with which Lambda gives a function one CPU
DOLLARS_PER_GB_S: Final = 0.0000166667  # Lambda on x86, first tier, us-east-1
_CPUS: Final = 2  # of the machine that measured


class Measured(Declaration):
    """What a network takes, measured as `containers/*/models.toml` says.

    `seconds` is the wall time of a warm run on two CPUs. `peak_mb` is the most resident memory of
    a process that has run it twice.
    """

    seconds: float = Field(gt=0)
    peak_mb: int = Field(ge=1)

    def seconds_with(self, memory_mb: int) -> float:
        """Return the seconds of a function with this memory, and with the CPUs it comes with.

        More than two CPUs count as two: how much they help was not measured.
        """
        return self.seconds * max(1.0, _CPUS * MB_PER_CPU / memory_mb)

    def dollars_per_1000(self, memory_mb: int) -> float:
        """Return Lambda's price of 1,000 runs in a function with this memory."""
        return 1000 * self.seconds_with(memory_mb) * memory_mb / 1024 * DOLLARS_PER_GB_S
