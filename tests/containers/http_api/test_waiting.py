"""A request waits for a job's end as long as it asks for, within the API's limit."""

from __future__ import annotations

import pytest

from containers.http_api.waiting import await_end, preferred_wait
from pipeline.artifacts import Location
from pipeline.operations.following import Followed

RUNS = Followed("RUNNING", Location("ingest", "cat.png"))
DONE = Followed("DONE", Location("ingest", "cat.png"))


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self, ends_at: float) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._ends_at = ends_at

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def find(self) -> Followed:
        return DONE if self.now >= self._ends_at else RUNS

    def wait(self, seconds: float) -> Followed:
        return await_end(self.find, seconds, clock=lambda: self.now, sleep=self.sleep)


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0), ("", 0), ("wait=7", 7), ("wait=20", 20), ("wait=21", 20), ("wait=999999", 20),
        ("respond-async, wait=5", 5), ("respond-async; wait=5", 5), ("Wait = 5", 5),
        ('wait="5"', 5), ("wait=5; x", 5), ("wait", 0), ("wait=", 0), ("wait=-5", 0),
        ("wait=1.5", 0), ("wait=5x", 0), ("await=5", 0), ("wait=9999999", 0), ("return=minimal", 0),
    ],
)  # fmt: skip
def test_a_preference_is_read_as_it_is_written(prefer: str | None, seconds: int) -> None:
    assert preferred_wait(prefer) == seconds


def test_without_a_preference_nothing_waits() -> None:
    clock = Clock(ends_at=1)

    assert (clock.wait(0), clock.pauses) == (RUNS, [])


def test_what_has_ended_is_answered_at_once() -> None:
    clock = Clock(ends_at=0)

    assert (clock.wait(20), clock.pauses) == (DONE, [])


def test_an_end_is_answered_soon_after_it() -> None:
    clock = Clock(ends_at=5)

    assert clock.wait(20) == DONE
    assert 5 <= clock.now <= 7


def test_what_does_not_end_is_answered_in_time_after_few_looks() -> None:
    clock = Clock(ends_at=100)

    assert (clock.wait(20), clock.now) == (RUNS, 20)
    assert len(clock.pauses) < 20


@pytest.mark.parametrize("ends_at", [0.1, 0.2, 0.5, 1, 2])
def test_what_ends_soon_is_answered_after_no_more_than_half_as_long_again(ends_at: float) -> None:
    clock = Clock(ends_at)

    assert clock.wait(20) == DONE
    assert clock.now <= 1.5 * ends_at + 0.05
