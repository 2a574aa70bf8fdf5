"""Simulate a backfill of many objects: its time, its cost, and how long uploads wait.

A discrete-event model of what a backfill meets on AWS: listing, the Distributed Map's cap, the
token buckets of Step Functions, Lambda's concurrency with throttles and retries, and a queue of AWS
Batch. It is pure: the same arguments give the same answer. docs/scaling.md has the source of each
number, and the tables that `make bench-volume` prints.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final, NamedTuple

from pipeline.operations.backfill.costs import Costs, Requests

KEYS_A_PAGE: Final = 1_000  # of S3's ListObjectsV2
_NOTHING: Final = Requests()
# The Retry of every Lambda task after TooManyRequestsException.
FIRST_RETRY_S: Final = 2.0
LONGEST_RETRY_S: Final = 120.0
MOST_RETRIES: Final = 12


class Rate(NamedTuple):
    """A token bucket: so many at once, and so many more each second."""

    bucket: float
    per_second: float


STARTS: Final = Rate(1_300, 300)  # of executions, in the three largest regions
TRANSITIONS: Final = Rate(5_000, 5_000)  # of all Standard executions there


@dataclass(frozen=True)
class Call:
    """A call of a function, or, with `vcpus`, a job of AWS Batch.

    `seconds` are its mean; `spread` is the standard deviation as a part of it.
    """

    seconds: float
    memory_mb: int
    vcpus: float = 0
    spread: float = 0


@dataclass(frozen=True)
class Work:
    """What one object takes: calls one after another, and what else is counted or billed.

    `executions` are those that are started for it, in all.
    """

    calls: tuple[Call, ...]
    transitions: int
    requests: Requests = _NOTHING
    executions: int = 1


@dataclass(frozen=True)
class Account:
    """What an account and region allow. The defaults are those of us-east-1, without AWS Batch.

    A list of `KEYS_A_PAGE` keys takes `page_s`. The first machine of AWS Batch takes a job after
    `machine_s`.
    """

    concurrency: int = 1_000
    starts: Rate = STARTS
    transitions: Rate = TRANSITIONS
    page_s: float = 0.2
    batch_vcpus: float = 0
    machine_s: float = 180.0


@dataclass(frozen=True)
class Uploads:
    """What people upload meanwhile: photos at random times, so many each second in the mean."""

    per_second: float
    work: Work


@dataclass(frozen=True)
class Outcome:
    """The result of a simulated backfill.

    `running` is the mean number of objects at work, and `object_s` the mean time of one, from its
    start. `waits_s` are the seconds each upload waited for anything, in their order.
    """

    objects: int
    seconds: float
    failed: int
    throttles: int
    running: float
    object_s: float
    peak_calls: int
    waits_s: tuple[float, ...]
    costs: Costs

    @property
    def per_second(self) -> float:
        return self.objects / self.seconds if self.seconds else 0.0


def simulate(
    works: Sequence[tuple[int, Work]],
    *,
    cap: int,
    account: Account,
    uploads: Uploads | None = None,
    seed: int = 0,
) -> Outcome:
    """Run the model until the last object has ended. `works` are counts of objects, and their work.

    Objects of several works come in a random order. At most `cap` run at a time.
    """
    return _Run(works, cap, account, uploads, seed).outcome()


def foresee(
    works: Sequence[tuple[int, Work]], *, cap: int, account: Account, most: int = 20_000
) -> Outcome:
    """Simulate at most `most` objects and conclude from them: the rest comes at their pace.

    The time of a million is then known in a second, within some percent.
    """
    objects = sum(number for number, _ in works)
    if objects <= most:
        return simulate(works, cap=cap, account=account)
    part = [(max(1, round(number * most / objects)), work) for number, work in works if number]
    half = [(max(1, number // 2), work) for number, work in part]
    whole, before = (simulate(each, cap=cap, account=account) for each in (part, half))
    pace = (whole.seconds - before.seconds) / (whole.objects - before.objects)
    listing = objects / KEYS_A_PAGE * account.page_s
    scale = objects / whole.objects
    return Outcome(
        objects=objects,
        seconds=max(listing, whole.seconds + (objects - whole.objects) * pace),
        failed=round(whole.failed * scale),
        throttles=round(whole.throttles * scale),
        running=whole.running,
        object_s=whole.object_s,
        peak_calls=whole.peak_calls,
        waits_s=(),
        costs=Costs.of(works),
    )


@dataclass
class _Tokens:
    """A token bucket in use. If it is empty, callers wait in the order of asking."""

    rate: Rate
    left: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.left = self.rate.bucket

    def wait(self, now: float, number: float) -> float:
        """Take `number` tokens, and return the seconds until they are there."""
        self.left = min(self.rate.bucket, self.left + (now - self.at) * self.rate.per_second)
        self.at = now
        self.left -= number
        return max(0.0, -self.left / self.rate.per_second)


class _Object:
    """An object at work, or an upload: how far it is, and when it began."""

    __slots__ = ("began", "call", "tries", "upload", "waited", "work")

    def __init__(self, work: Work, began: float, *, upload: bool) -> None:
        self.work = work
        self.began = began
        self.upload = upload
        self.call = 0
        self.tries = 0
        self.waited = 0.0


class _Run:
    """One run of the model: a clock, a heap of what happens next, and what is in use."""

    def __init__(
        self,
        works: Sequence[tuple[int, Work]],
        cap: int,
        account: Account,
        uploads: Uploads | None,
        seed: int,
    ) -> None:
        self._works, self._cap, self._account, self._uploads = works, cap, account, uploads
        self._random = random.Random(seed)  # noqa: S311 - a model
        self._heap: list[tuple[float, int, Callable[[_Object], None], _Object]] = []
        self._order = count()
        self._now = 0.0
        self._coming = self._shuffled()
        self._objects = sum(number for number, _ in works)
        self._begun = self._running = self._ended = 0
        self._starts, self._transitions = _Tokens(account.starts), _Tokens(account.transitions)
        self._calls = self._peak = self._throttles = self._failed = 0
        self._vcpus = account.batch_vcpus
        self._queue: deque[_Object] = deque()
        self._total_s = 0.0
        self._waits: list[float] = []

    def outcome(self) -> Outcome:
        self._fill()
        if self._uploads:
            self._next_upload(self._uploads)
        while self._heap and self._ended < self._objects:
            self._now, _, happen, each = heapq.heappop(self._heap)
            happen(each)
        return Outcome(
            objects=self._objects,
            seconds=self._now,
            failed=self._failed,
            throttles=self._throttles,
            running=self._total_s / self._now if self._now else 0.0,
            object_s=self._total_s / self._objects if self._objects else 0.0,
            peak_calls=self._peak,
            waits_s=tuple(self._waits),
            costs=Costs.of(self._works),
        )

    def _shuffled(self) -> Iterator[Work]:
        """Yield each object's work, in a random order that needs no list of a million."""
        left = [number for number, _ in self._works]
        kinds = range(len(left))
        while any(left):
            (kind,) = self._random.choices(kinds, left)
            left[kind] -= 1
            yield self._works[kind][1]

    def _later(self, seconds: float, happen: Callable[[_Object], None], each: _Object) -> None:
        heapq.heappush(self._heap, (self._now + seconds, next(self._order), happen, each))

    def _fill(self) -> None:
        """Start objects while the cap allows it. One that is not listed yet starts when it is."""
        while self._running < self._cap and self._begun < self._objects:
            listed = (self._begun // KEYS_A_PAGE + 1) * self._account.page_s
            self._begun += 1
            self._running += 1
            begins = max(self._now, listed)
            self._later(
                begins - self._now, self._start, _Object(next(self._coming), begins, upload=False)
            )

    def _start(self, each: _Object) -> None:
        self._proceed(each, self._starts.wait(self._now, each.work.executions))

    def _proceed(self, each: _Object, wait: float = 0.0) -> None:
        """Go through the states before the next call, or to the end."""
        steps = each.work.transitions / (len(each.work.calls) + 1)
        wait = max(wait, self._transitions.wait(self._now, steps))
        each.waited += wait
        ended = each.call == len(each.work.calls)
        self._later(wait, self._end if ended else self._ask, each)

    def _ask(self, each: _Object) -> None:
        """Call a function, which may be throttled, or submit a job, which may have to wait."""
        call = each.work.calls[each.call]
        if call.vcpus:
            each.waited -= self._now
            (self._queue.appendleft if each.upload else self._queue.append)(each)
            self._run_jobs()
        elif self._calls < self._account.concurrency:
            self._calls += 1
            self._peak = max(self._peak, self._calls)
            self._later(self._seconds(call), self._answer, each)
        else:
            self._retry(each)

    def _retry(self, each: _Object) -> None:
        """Wait a random time, of a limit that doubles (FULL jitter); give up after the last."""
        self._throttles += 1
        each.tries += 1
        if each.tries > MOST_RETRIES:
            self._failed += not each.upload
            self._end(each)
            return
        longest = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** (each.tries - 1))
        wait = self._random.uniform(0, longest)
        each.waited += wait
        self._later(wait, self._ask, each)

    def _run_jobs(self) -> None:
        if self._now < self._account.machine_s:
            if len(self._queue) == 1:  # the first machine is on its way; it takes the others too
                self._later(
                    self._account.machine_s - self._now, self._machine_is_up, self._queue[0]
                )
            return
        while self._queue and (call := self._next_job()).vcpus <= self._vcpus:
            each = self._queue.popleft()
            each.waited += self._now
            self._vcpus -= call.vcpus
            self._later(self._seconds(call), self._answer, each)

    def _machine_is_up(self, _: _Object) -> None:
        self._run_jobs()

    def _next_job(self) -> Call:
        return self._queue[0].work.calls[self._queue[0].call]

    def _answer(self, each: _Object) -> None:
        call = each.work.calls[each.call]
        each.call += 1
        each.tries = 0
        if call.vcpus:
            self._vcpus += call.vcpus
            self._run_jobs()
        else:
            self._calls -= 1
        self._proceed(each)

    def _end(self, each: _Object) -> None:
        if each.upload:
            self._waits.append(each.waited)
            return
        self._total_s += self._now - each.began
        self._running -= 1
        self._ended += 1
        self._fill()

    def _next_upload(self, uploads: Uploads) -> None:
        wait = self._random.expovariate(uploads.per_second)
        each = _Object(uploads.work, self._now + wait, upload=True)
        self._later(wait, self._upload, each)

    def _upload(self, each: _Object) -> None:
        if self._uploads:
            self._next_upload(self._uploads)
        self._start(each)

    def _seconds(self, call: Call) -> float:
        if not call.spread:
            return call.seconds
        shape = 1 / call.spread**2  # of a gamma distribution with this mean and spread
        return self._random.gammavariate(shape, call.seconds / shape)
