"""Many photos, some of them unlucky: how many are lost, how many done twice.

`FAULT_DROPS=1000 make test-faults` for the whole number; without it, as many as a change can wait
for.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import Final

import pytest

from pipeline.operations.auditing import Audit
from pipeline.operations.verdicts import DOUBLED, LOST
from tests.faults.accounts import ENDS, disagreements
from tests.faults.injector import Spot
from tests.faults.kinds import KILLED, KINDS
from tests.faults.plan import GOOD, RECORDINGS, Case, places
from tests.faults.storm import Storm
from tests.pictures import png, square

pytestmark = [
    pytest.mark.faults,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

DROPS: Final = int(os.environ.get("FAULT_DROPS", "200"))
SEED: Final = 8
UNLUCKY: Final = 0.4
TWICE: Final = 0.1
S_PER_DROP: Final = 1.0


@dataclass(frozen=True)
class Flood:
    """How many photos were dropped, what was found of them, and what was left after clearing up."""

    dropped: int
    found: Audit
    left: Audit

    def of(self, audit: Audit) -> list[str]:
        return [
            verdict.state
            for each, verdict in audit.verdicts
            if each.source.key.startswith("flood/")
        ]


@pytest.fixture(scope="module")
def flood(storm: Storm) -> Flood:
    dice = random.Random(SEED)  # noqa: S311 - so that a failure can be seen again
    reached = [
        place
        for place in places()
        if place.machine != RECORDINGS and Case(place, KILLED).scenario == GOOD
    ]
    kinds = sorted(KINDS.keys() - {KILLED})
    dropped = 0
    for index in range(DROPS):
        key = f"flood/{index:04}.png"
        photo = png(square(left=index % 60, top=index // 60, size=24))
        if dice.random() < UNLUCKY:
            place = dice.choice(reached)
            storm.injector.plan[Spot(key, place.machine, place.state)] = dice.choice(kinds)
        for _ in range(2 if dice.random() < TWICE else 1):
            storm.drop(key, photo)
            dropped += 1
    storm.wait_for_calm(patience_s=60 + DROPS * S_PER_DROP)
    return Flood(dropped, storm.clear_up(), storm.take_stock())


@pytest.mark.timeout(120 + DROPS * S_PER_DROP)
def test_every_photo_is_accounted_for(flood: Flood) -> None:
    states = flood.of(flood.left)

    assert len(states) == flood.dropped
    assert set(states) <= ENDS


def test_none_is_lost_and_none_is_doubled(flood: Flood) -> None:
    assert (flood.found.count(LOST), flood.found.count(DOUBLED)) == (0, 0)
    assert flood.left.findings == []


def test_what_was_left_alone_is_done(flood: Flood) -> None:
    """Faults do not spread to other photos: no more have failed than met one."""
    failed = flood.of(flood.left).count("FAILED")

    assert failed <= UNLUCKY * 1.5 * flood.dropped


def test_buckets_and_table_tell_the_same_story(storm: Storm, flood: Flood) -> None:
    del flood

    assert disagreements(storm) == []
