"""Add up what a backfill costs, by part: list prices of us-east-1 in dollars, November 2026."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from pipeline.declared.costs import DOLLARS_PER_GB_S

if TYPE_CHECKING:
    from pipeline.operations.backfill.simulation import Work

DOLLARS_PER_TRANSITION: Final = 0.025 / 1_000  # Standard executions
_CALL: Final = 0.20 / 1e6  # a call of a function
_PUT: Final = 0.005 / 1_000  # PUT, COPY, LIST
_GET: Final = 0.0004 / 1_000
_WRITE: Final = 0.625 / 1e6  # DynamoDB on demand, an item up to 1 KB
_EVENT: Final = 1.00 / 1e6  # EventBridge: custom events, and those of S3
_LOGGED_GB: Final = 0.50  # CloudWatch Logs, taken in
VCPU_HOUR: Final = 0.02  # AWS Batch on spot machines: about 45% of c7i's list price


@dataclass(frozen=True)
class Requests:
    """What one object asks of other services, and the bytes that its functions log."""

    puts: int = 0
    gets: int = 0
    writes: int = 0
    events: int = 0
    logged: int = 0

    def and_again(self, other: Requests, times: int) -> Requests:
        """Return these requests, and `times` as many as `other`."""
        named = (each.name for each in fields(self))
        both = {name: getattr(self, name) + times * getattr(other, name) for name in named}
        return Requests(**both)


@dataclass(frozen=True)
class Costs:
    """Dollars by part. Storage, keys and what leaves the region are not in it."""

    lambda_time: float = 0.0
    lambda_calls: float = 0.0
    batch: float = 0.0
    transitions: float = 0.0
    s3: float = 0.0
    dynamodb: float = 0.0
    events: float = 0.0
    logs: float = 0.0

    @property
    def total(self) -> float:
        return float(sum(getattr(self, part.name) for part in fields(self)))

    @classmethod
    def of(cls, works: Sequence[tuple[int, Work]]) -> Costs:
        """Add up what so many objects of each work cost, if none is throttled or fails."""

        def total(price: float, each: str) -> float:
            return price * float(
                sum(number * getattr(work.requests, each) for number, work in works)
            )

        calls = [(number, call) for number, work in works for call in work.calls]
        functions = [(number, call) for number, call in calls if not call.vcpus]
        gb_s = sum(number * call.seconds * call.memory_mb / 1024 for number, call in functions)
        vcpu_s = sum(number * call.seconds * call.vcpus for number, call in calls)
        return cls(
            lambda_time=gb_s * DOLLARS_PER_GB_S,
            lambda_calls=_CALL * sum(number for number, _ in functions),
            batch=vcpu_s / 3600 * VCPU_HOUR,
            transitions=DOLLARS_PER_TRANSITION
            * sum(number * work.transitions for number, work in works),
            s3=total(_PUT, "puts") + total(_GET, "gets"),
            dynamodb=total(_WRITE, "writes"),
            events=total(_EVENT, "events"),
            logs=total(_LOGGED_GB / 1e9, "logged"),
        )
