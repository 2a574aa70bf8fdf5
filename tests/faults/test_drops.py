"""Many photos and recordings, some of them unlucky: how many are lost, how many done twice.

`FAULT_DROPS=1000 make test-faults` for the whole number; without it, as many as a change can wait
for.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import pytest

from pipeline.artifacts import Location
from pipeline.operations.auditing import Audit
from pipeline.operations.verdicts import DOUBLED, LOST
from tests.faces.stubs import script as faces_script
from tests.faults.accounts import ENDS, disagreements
from tests.faults.injector import Spot
from tests.faults.kinds import KILLED, KINDS
from tests.faults.plan import (
    FACES,
    GOOD,
    MACHINES,
    PHOTOS,
    PRODUCTS,
    RECORDINGS,
    Case,
    Place,
    places,
)
from tests.faults.storm import Storm
from tests.pictures import png, square
from tests.transcripts.stubs.script import Script

pytestmark = [
    pytest.mark.faults,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

DROPS: Final = int(os.environ.get("FAULT_DROPS", "200"))
SEED: Final = 8
UNLUCKY: Final = 0.4
TWICE: Final = 0.1
SPOKEN: Final = 0.3
MISNAMED: Final = 0.1
ASKING: Final = 0.2  # of photos, for their faces
S_PER_DROP: Final = 1.0


@dataclass(frozen=True)
class Flood:
    """How many files were dropped, what was found of them, and what was left after clearing up."""

    dropped: int
    found: Audit
    left: Audit

    def of(self, audit: Audit) -> dict[Location, set[str]]:
        """How each file ended; twice where a hand-over was broken off after it had started."""
        ends: dict[Location, set[str]] = defaultdict(set)
        for each, verdict in audit.verdicts:
            if each.source.key.startswith("flood/"):
                ends[each.source].add(verdict.state)
        return ends


@pytest.fixture(scope="module")
def flood(storm: Storm) -> Flood:
    dice = random.Random(SEED)  # noqa: S311 - so that a failure can be seen again
    kinds = sorted(KINDS.keys() - {KILLED})
    dropped = 0
    for index in range(DROPS):
        spoken, misnamed = dice.random() < SPOKEN, dice.random() < MISNAMED
        key = f"flood/{index:04}.{'mp3' if spoken is not misnamed else 'png'}"
        asking = not spoken and not misnamed and dice.random() < ASKING
        content = recording(index) if spoken else faces(index) if asking else photo(index)
        product = {"product": "faces"} if asking else {}
        if dice.random() < UNLUCKY:
            machine = RECORDINGS if spoken else FACES if asking else PHOTOS
            place = dice.choice(passed(machine, misnamed=misnamed))
            storm.injector.plan[Spot(key, place.machine, place.state)] = dice.choice(kinds)
        for _ in range(2 if dice.random() < TWICE else 1):
            storm.drop(key, content, **product)
            dropped += 1
    storm.wait_for_calm(patience_s=60 + DROPS * S_PER_DROP)
    return Flood(dropped, storm.clear_up(), storm.take_stock())


def photo(index: int) -> bytes:
    return png(square(left=index % 60, top=index // 60, size=24))


def recording(index: int) -> bytes:
    return Script(windows=index % 4, padding=f"flood {index}").recording()


def faces(index: int) -> bytes:
    return faces_script.Script(faces=index % 4, padding=f"flood {index}").photo()


def passed(machine: str, *, misnamed: bool) -> list[Place]:
    """The states that a good file may meet its fault at: if it is misnamed, where that is found."""
    if misnamed:
        return [Place(PHOTOS if machine == RECORDINGS else RECORDINGS, "HandOver", "states")]
    around = set() if machine != PHOTOS else {*MACHINES} - {*PRODUCTS}
    return [
        place
        for place in places()
        if place.machine in {machine, *around} and Case(place, KILLED).scenario == GOOD
    ]


@pytest.mark.timeout(120 + DROPS * S_PER_DROP)
def test_every_file_is_accounted_for(flood: Flood) -> None:
    ends = flood.of(flood.left)

    assert len(ends) == flood.dropped
    assert set().union(*ends.values()) <= ENDS


def test_none_is_lost_and_none_is_doubled(flood: Flood) -> None:
    assert (flood.found.count(LOST), flood.found.count(DOUBLED)) == (0, 0)
    assert flood.left.findings == []


def test_what_was_left_alone_is_done(flood: Flood) -> None:
    """Faults do not spread to other files: no more have failed than met one."""
    failed = sum("FAILED" in states for states in flood.of(flood.left).values())

    assert failed <= UNLUCKY * 1.5 * flood.dropped


def test_buckets_and_table_tell_the_same_story(storm: Storm, flood: Flood) -> None:
    del flood

    assert disagreements(storm) == []
