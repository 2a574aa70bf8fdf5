"""A task that is killed between any two writes, and then repeated, ends as it would have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.artifacts import ArtifactStore, Location
from pipeline.contracts.contract import Result
from pipeline.errors import CollectionMissing, StoreUnavailable
from pipeline.workbench import Settings, TaskContext, Workbench
from tests.conftest import ROOT
from tests.containers.vector_index.desk import INGEST, Desk, vector
from tests.containers.vector_index.interrupted import Interrupted, Killed

Later = Callable[[timedelta], None]
Action = Callable[[Desk, datetime], Result]
ALIVE: Final = [("anna.jpg", 0, "anna"), ("ben.jpg", 0, "ben"), ("ben.jpg", 1, "ben")]


@pytest.fixture
def filled(staff: Desk) -> Desk:
    """Anna and Ben are enrolled, Carla's photo is not yet; Dora was and is forgotten."""
    for person, vectors in (("anna", [vector(1)]), ("ben", [vector(2), vector(3)])):
        staff.enroll(staff.record(f"{person}.jpg", vectors), person=person)
    staff.enroll(staff.record("dora.jpg", [vector(4)]), person="dora")
    staff.forget(person="dora")
    staff.record("carla.jpg", [vector(5)])
    assert staff.alive() == ALIVE
    return staff


def enroll(desk: Desk, asked_at: datetime) -> Result:
    return desk.enroll("carla_faces.record.json", person="carla", asked_at=asked_at)


def forget(desk: Desk, asked_at: datetime) -> Result:
    return desk.forget(person="ben", asked_at=asked_at)


def compact(desk: Desk, asked_at: datetime) -> Result:
    return desk.compact(force=True, asked_at=asked_at)


def delete(desk: Desk, asked_at: datetime) -> Result:
    return desk.delete(asked_at=asked_at)


ACTIONS: Final[dict[str, tuple[Action, list[tuple[str, int, str]]]]] = {
    "enroll": (enroll, sorted([*ALIVE, ("carla.jpg", 0, "carla")], key=str)),
    "forget": (forget, ALIVE[:1]),
    "compact": (compact, ALIVE),
    "delete": (delete, []),
}
EACH = pytest.mark.parametrize(("action", "after"), ACTIONS.values(), ids=ACTIONS)


def with_store(desk: Desk, store: Any) -> Desk:
    bench = Workbench(root=desk.context.bench.root, settings=desk.context.settings, store=store)
    return replace(desk, store=store, context=TaskContext(bench))


def alive(desk: Desk) -> list[tuple[str, int, str | None]]:
    try:
        return desk.alive()
    except CollectionMissing:
        return []


def stray(desk: Desk) -> list[str]:
    """Objects of the collection that its head does not name."""
    try:
        head = desk.head()
    except CollectionMissing:
        return desk.objects("collections/")
    named = {desk.places.head("staff").key, *(each.key for each in head.superseded)}
    named |= {desk.places.segment("staff", each.sha256).key for each in head.segments}
    named |= {desk.places.tombstones("staff", each.sha256).key for each in head.tombstones}
    return [key for key in desk.objects("collections/") if key not in named]


@EACH
@pytest.mark.parametrize("writes", range(12))
def test_a_killed_task_that_is_repeated_ends_the_same(
    filled: Desk, later: Later, action: Action, after: Any, writes: int
) -> None:
    asked_at = filled.tick()
    store = Interrupted(filled.store, writes)
    try:
        action(with_store(filled, store), asked_at)
    except Killed:
        assert alive(filled) in (ALIVE, after)

    action(filled, asked_at)

    assert alive(filled) == after
    later(timedelta(minutes=61))
    if after:
        filled.compact()
    assert stray(filled) == []
    assert alive(filled) == after


@EACH
@pytest.mark.parametrize("writes", range(12))
def test_a_task_that_never_learns_of_its_write_is_repeated_and_ends_the_same(
    filled: Desk, action: Action, after: Any, writes: int
) -> None:
    asked_at = filled.tick()
    store = Interrupted(filled.store, writes, unheard=True)
    try:
        action(with_store(filled, store), asked_at)
    except StoreUnavailable:
        assert alive(filled) in (ALIVE, after)

    action(filled, asked_at)

    assert alive(filled) == after


@EACH
def test_no_action_has_more_writes_than_are_tried(filled: Desk, action: Action, after: Any) -> None:
    store = Interrupted(filled.store, 11)

    try:
        action(with_store(filled, store), filled.tick())
    except Killed:
        pytest.fail("try more writes")
    assert alive(filled) == after


class Deaf:
    """Accepts heads, and says that another writer was first: as S3 does to a repeated request."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._heard = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write_if_unchanged(self, *args: Any, **options: Any) -> str | None:
        etag = self._store.write_if_unchanged(*args, **options)
        heard, self._heard = self._heard, True
        return etag if heard else None


@EACH
def test_a_head_that_was_accepted_unheard_is_not_published_twice(
    filled: Desk, action: Action, after: Any
) -> None:
    result = action(with_store(filled, Deaf(filled.store)), filled.tick())

    assert alive(filled) == after
    assert stray(filled) == []
    if action is enroll:
        assert (result.enrolled, result.known) == (1, 0)  # type: ignore[attr-defined]


def test_an_enrolment_into_a_collection_deleted_meanwhile_leaves_nothing(
    filled: Desk, tmp_path: Path
) -> None:
    settings = Settings(scratch=tmp_path / "another process")
    bench = Workbench(root=ROOT, settings=settings, store=filled.store)
    other = replace(filled, context=TaskContext(bench))

    class Deleting(Deaf):
        def upload(self, *args: Any, **options: Any) -> Any:
            other.delete(asked_at=filled.tick())
            return self._store.upload(*args, **options)

        def write_if_unchanged(self, *args: Any, **options: Any) -> str | None:
            return self._store.write_if_unchanged(*args, **options)

    with pytest.raises(CollectionMissing):
        enroll(with_store(filled, Deleting(filled.store)), filled.tick())
    assert filled.objects("collections/") == []


def test_a_photo_deleted_while_it_is_enrolled_is_forgotten(filled: Desk) -> None:
    class Losing(Deaf):
        def write_if_unchanged(self, *args: Any, **options: Any) -> str | None:
            self._store.erase(Location(INGEST, "carla.jpg"))
            return self._store.write_if_unchanged(*args, **options)

    result = enroll(with_store(filled, Losing(filled.store)), filled.tick())

    assert (result.enrolled, result.skipped[0].why) == (0, "photo gone")  # type: ignore[attr-defined]
    assert filled.alive() == ALIVE


def test_a_photo_that_was_deleted_before_a_killed_task_is_repeated_is_forgotten(
    filled: Desk,
) -> None:
    asked_at = filled.tick()
    enroll(filled, asked_at)  # and killed before it looked for the photo again
    filled.store.erase(Location(INGEST, "carla.jpg"))

    result = enroll(filled, asked_at)

    assert result.skipped[0].why == "photo gone"  # type: ignore[attr-defined]
    assert filled.alive() == ALIVE


def test_a_person_forgotten_while_enrolled_stays_forgotten(filled: Desk) -> None:
    class Forgetting(Deaf):
        def write_if_unchanged(self, *args: Any, **options: Any) -> str | None:
            if not self._heard:
                self._heard = True
                filled.forget(person="carla", asked_at=filled.clock + timedelta(minutes=1))
            return self._store.write_if_unchanged(*args, **options)

    result = enroll(with_store(filled, Forgetting(filled.store)), filled.tick())

    assert (result.enrolled, result.skipped[0].why) == (0, "forgotten")  # type: ignore[attr-defined]
    assert filled.alive() == ALIVE
    assert stray(filled) == []


def test_an_enrolment_during_a_compaction_is_kept(filled: Desk) -> None:
    class Enrolling(Deaf):
        def write_if_unchanged(self, *args: Any, **options: Any) -> str | None:
            if not self._heard:
                self._heard = True
                enroll(filled, filled.tick())
            return self._store.write_if_unchanged(*args, **options)

    compact(with_store(filled, Enrolling(filled.store)), filled.tick())

    assert filled.alive() == ACTIONS["enroll"][1]
    assert stray(filled) == []


def test_two_compactions_at_once_lose_nothing(filled: Desk) -> None:
    class Compacting(Deaf):
        def write_if_unchanged(self, *args: Any, **options: Any) -> str | None:
            if not self._heard:
                self._heard = True
                compact(filled, filled.tick())
            return self._store.write_if_unchanged(*args, **options)

    compact(with_store(filled, Compacting(filled.store)), filled.tick())

    assert filled.alive() == ALIVE
    assert stray(filled) == []


def test_a_forgetting_during_a_compaction_counts(filled: Desk) -> None:
    class Forgetting(Deaf):
        def write_if_unchanged(self, *args: Any, **options: Any) -> str | None:
            if not self._heard:
                self._heard = True
                forget(filled, filled.tick())
            return self._store.write_if_unchanged(*args, **options)

    compact(with_store(filled, Forgetting(filled.store)), filled.tick())

    assert filled.alive() == ALIVE[:1]
    assert [(each.vectors, each.forgotten) for each in filled.describe()] == [(1, 2)]
