"""What one look at a deployment shows: executions, functions, jobs, backfills, and their price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pipeline.declared.costs import DOLLARS_PER_GB_S
from pipeline.operations.backfill.costs import VCPU_HOUR

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
_HOUR_S: Final = 3600


@dataclass(frozen=True)
class Spent:
    """Time of functions and of jobs of AWS Batch, as AWS bills it, and seconds of sound heard."""

    gb_s: float = 0.0
    vcpu_s: float = 0.0
    sound_s: float = 0.0

    @classmethod
    def of(cls, metrics: Mapping[str, Any]) -> Spent:
        """Return what the metrics of a task say that it took, and how much sound it has heard."""
        return cls(*(float(metrics.get(name) or 0) for name in ("gb_s", "vcpu_s", "duration_s")))

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.gb_s + other.gb_s, self.vcpu_s + other.vcpu_s, self.sound_s + other.sound_s
        )

    @property
    def dollars(self) -> float:
        """Return the price of the time alone, without calls, transitions and storage."""
        return self.gb_s * DOLLARS_PER_GB_S + self.vcpu_s / _HOUR_S * VCPU_HOUR

    def per_thousand(self, jobs: int) -> float | None:
        return 1000 * self.dollars / jobs if jobs else None

    @property
    def per_hour_of_sound(self) -> float | None:
        return self.dollars / self.sound_s * _HOUR_S if self.sound_s else None


@dataclass(frozen=True)
class ProductFlow:
    """A product's executions: those running, and those that ended in the last minute and hour.

    `done` has duplicates and those handed over; quarantined ones are no failures. Times are those
    of executions that are done, in seconds, None if none is. `partial` says that there were too
    many to count them all.
    """

    product: str
    running: int
    ended_in_minute: int
    done: int
    quarantined: int
    failed: int
    p50_s: float | None
    p95_s: float | None
    partial: bool = False
    spent: Spent = field(default_factory=Spent)

    @property
    def ended(self) -> int:
        return self.done + self.quarantined + self.failed

    @property
    def dollars_per_thousand(self) -> float | None:
        return self.spent.per_thousand(self.done)

    @property
    def dollars_per_hour_of_sound(self) -> float | None:
        return self.spent.per_hour_of_sound


@dataclass(frozen=True)
class ContainerCalls:
    """A container's functions: calls in flight now; calls and cold starts within the hour."""

    container: str
    in_flight: int
    calls: int
    cold: int


@dataclass(frozen=True)
class Queue:
    """A queue of AWS Batch: jobs that wait for a machine, and jobs that run."""

    name: str
    waiting: int
    running: int


@dataclass(frozen=True)
class Backfill:
    """A running backfill. `total` may still grow while objects are listed."""

    name: str
    started: datetime
    total: int
    ended: int

    def left_s(self, now: datetime) -> float | None:
        """Return the seconds that are left at the pace so far; None before the first object."""
        taken = (now - self.started).total_seconds()
        return taken / self.ended * (self.total - self.ended) if self.ended else None


@dataclass(frozen=True)
class Snapshot:
    """One look at a deployment. `errors` counts executions of the last hour by their error."""

    deployment: str
    at: datetime
    products: Sequence[ProductFlow]
    containers: Sequence[ContainerCalls]
    errors: Mapping[str, int]
    queues: Sequence[Queue]
    backfills: Sequence[Backfill]
