"""Writers, a forgetter and a compactor of one collection at once, each a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.artifacts import ArtifactStore
from pipeline.contracts.collection_enrolments import Enrolled
from pipeline.errors import CollectionBusy
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.vector_index.desk import ASKED, Desk, vector

WRITERS: Final = 8
FORGOTTEN_AT: Final = ASKED + timedelta(minutes=30)


class Outcome(NamedTuple):
    """What a round left, and what it should have; `busy` counts tasks that were told to retry."""

    alive: list[tuple[str, int, str | None]]
    wanted: list[tuple[str, int, str | None]]
    counted: int
    busy: int


def race(store: ArtifactStore, folder: Path, number: int, *, compacts: bool = False) -> Outcome:
    """Run a round in a new collection.

    Each writer enrolls its own person, and `victim` twice: as it was asked for before the
    forgetting, and after it. The first must not live, whichever is published first.
    """
    name = f"round-{number}"
    first = _desk(store, folder / "first", 0)
    first.create(name)
    tasks: list[Callable[[], int]] = []
    wanted: list[tuple[str, int, str | None]] = []
    for writer in range(WRITERS):
        desk = _desk(store, folder / f"writer-{writer}", writer)
        keys = [f"{name}/{kind}-{writer}.jpg" for kind in ("own", "old", "new")]
        records = [
            desk.record(key, [vector(1000 * number + 10 * writer + at)])
            for at, key in enumerate(keys)
        ]
        wanted += [(keys[0], 0, f"person-{writer}"), (keys[2], 0, "victim")]
        tasks.append(_enrolment(desk, name, records))
    forgetter = _desk(store, folder / "forgetter", 90)
    tasks.insert(
        number % (WRITERS + 1),
        lambda: _patiently(lambda: forgetter.forget(name, person="victim", asked_at=FORGOTTEN_AT)),
    )
    if compacts:
        compactor = _desk(store, folder / "compactor", 91)
        tasks.append(lambda: _patiently(lambda: compactor.compact(name, force=True)))
    with ThreadPoolExecutor(len(tasks)) as pool:
        busy = sum(each.result() for each in [pool.submit(task) for task in tasks])
    (described,) = first.describe(name)
    return Outcome(first.alive(name), sorted(wanted, key=str), described.vectors, busy)


def _enrolment(desk: Desk, name: str, records: list[str]) -> Callable[[], int]:
    own, old, new = records
    number = desk.clock.minute
    asked = [
        (own, f"person-{number}", FORGOTTEN_AT - timedelta(seconds=1)),
        (old, "victim", FORGOTTEN_AT - timedelta(seconds=1)),
        (new, "victim", FORGOTTEN_AT + timedelta(seconds=1)),
    ]

    def enroll(record: str, person: str, at: object) -> Callable[[], Enrolled]:
        return lambda: desk.enroll(record, collection=name, person=person, asked_at=at)

    return lambda: sum(_patiently(enroll(*each)) for each in asked)


def _patiently(task: Callable[[], object]) -> int:
    """Run a task as a state machine does, which retries CollectionBusy; count the retries."""
    for retries in range(20):
        try:
            task()
        except CollectionBusy:
            continue
        return retries
    raise AssertionError("a task was too busy 20 times")


def _desk(store: ArtifactStore, scratch: Path, minute: int) -> Desk:
    bench = Workbench(root=ROOT, settings=Settings(scratch=scratch), store=store)
    desk = Desk(store, TaskContext(bench))
    return replace(desk, clock=desk.clock.replace(minute=0) + timedelta(minutes=minute))
