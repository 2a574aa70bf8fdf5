"""What is dead is erased by its deadline, in every version; nothing else is lost."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from containers.vector_index import measuring
from containers.vector_index.backends import merging
from containers.vector_index.backends.backend import Question
from containers.vector_index.backends.warm import warm_of
from containers.vector_index.stored import segments as stored
from containers.vector_index.stored.head import Superseded, change_head
from containers.vector_index.stored.places import now
from containers.vector_index.stored.tombstones import read_rules
from pipeline.artifacts import LocalStore, Location
from pipeline.errors import CollectionMissing, SegmentMismatch
from tests.containers.vector_index.desk import CONSENT, Desk, vector

Later = Callable[[timedelta], None]
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def fill(desk: Desk, *people: str, faces: int = 1) -> None:
    """Enroll each person in a segment of its own."""
    for number, person in enumerate(people):
        vectors = [vector(100 * number + face) for face in range(faces)]
        desk.enroll(desk.record(f"{person}.jpg", vectors), person=person)


def segments(desk: Desk) -> list[str]:
    return desk.objects("collections/staff/segments/")


def receipts(desk: Desk) -> list[dict[str, object]]:
    keys = [key for key in desk.objects("receipts/") if key.endswith("-erased.json")]
    return [json.loads(desk.store.read(Location("collections", key))) for key in keys]


def test_with_force_all_that_is_dead_is_erased_now(staff: Desk) -> None:
    fill(staff, "anna", "ben")
    staff.forget(person="anna")
    old = segments(staff)

    result = staff.compact(force=True)

    assert (result.erased, result.vectors, result.segments) == (1, 1, 1)
    assert result.objects == 2
    assert staff.alive() == [("ben.jpg", 0, "ben")]
    assert set(segments(staff)).isdisjoint(old)
    assert len(segments(staff)) == 1
    assert [each["vectors"] for each in receipts(staff)] == [1]


def test_a_collection_of_which_everything_is_dead_has_no_segment(staff: Desk) -> None:
    fill(staff, "anna")
    staff.forget(person="anna")

    result = staff.compact(force=True)

    assert (result.erased, result.vectors, result.segments) == (1, 0, 0)
    assert segments(staff) == []


def test_a_few_dead_rows_wait(staff: Desk) -> None:
    record = staff.record("many.jpg", [vector(face) for face in range(10)])
    staff.enroll(record, person="anna", faces=(0, 1))
    staff.enroll(record, person="ben")
    staff.compact(force=True)
    staff.forget(person="anna")
    before = segments(staff)

    assert staff.compact().erased == 0
    assert segments(staff) == before


def test_a_segment_with_many_dead_rows_is_rewritten_and_erased_after_a_while(
    staff: Desk, later: Later
) -> None:
    fill(staff, "anna", "ben")
    staff.forget(person="anna")
    first = staff.compact()

    assert (first.erased, first.objects, first.segments) == (0, 0, 1)
    assert len(segments(staff)) == 2  # readers may have the older head

    later(16 * MINUTE)
    second = staff.compact()

    assert (second.erased, second.objects, second.segments) == (1, 1, 1)
    assert len(segments(staff)) == 1


@pytest.mark.parametrize(
    ("days_ago", "erased"), [(4.9, 0), (5.1, 1)], ids=["before the last days", "in the last days"]
)
def test_the_deadline_is_kept_two_days_ahead(staff: Desk, days_ago: float, erased: int) -> None:
    staff.clock -= 10 * DAY
    staff.create("old")
    vectors = [vector(face) for face in range(10)]
    record = staff.record("many.jpg", vectors)
    asked_at = staff.clock
    staff.enroll(record, collection="old", faces=(0,), person="anna", asked_at=asked_at)
    staff.enroll(record, collection="old", person="ben", asked_at=asked_at)
    staff.compact("old", force=True)
    staff.forget(
        "old", person="anna", asked_at=staff.clock + (10 - days_ago) * DAY + timedelta(hours=2)
    )

    result = staff.compact("old")

    assert (result.erased, result.vectors) == (erased, 9)


@pytest.mark.parametrize(
    ("days_later", "overdue"), [(6.9, 0), (7.1, 1)], ids=["before the deadline", "after it"]
)
def test_what_is_still_there_at_its_deadline_is_counted_as_it_is_erased(
    staff: Desk, later: Later, days_later: float, overdue: int
) -> None:
    """An alarm watches this metric."""
    fill(staff, "anna", "ben")
    staff.forget(person="anna")
    later(days_later * DAY)

    assert staff.compact().metrics["overdue"] == overdue
    assert staff.compact(force=True).metrics["overdue"] == 0
    assert [each.forgotten for each in staff.describe()] == [0]


def test_tasks_count_what_they_enroll_forget_and_erase(staff: Desk) -> None:
    """The dashboard shows these metrics."""
    record = staff.record("us.jpg", [vector(1), vector(2)])

    assert staff.enroll(record, person="anna").metrics["enrolled"] == 2
    assert staff.forget(person="anna").metrics["forgotten"] == 2
    assert staff.compact(force=True).metrics["erased"] == 2


def test_what_has_expired_is_erased(desk: Desk, later: Later) -> None:
    desk.create(consent=CONSENT.model_copy(update={"retention_days": 3}))
    fill(desk, "anna")
    later(2.5 * DAY)
    fill(desk, "ben")
    later(0.6 * DAY)

    assert desk.alive() == [("ben.jpg", 0, "ben")]
    assert [(each.vectors, each.forgotten) for each in desk.describe()] == [(1, 1)]
    assert desk.compact(force=True).erased == 1
    assert [(each.vectors, each.forgotten) for each in desk.describe()] == [(1, 0)]


def test_many_small_segments_are_joined(
    staff: Desk, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MOST_SEGMENTS", 4)
    fill(staff, *"abcde")
    before = staff.alive()

    first = staff.compact()

    assert (first.segments, first.erased) == (1, 0)
    assert staff.alive() == before
    later(16 * MINUTE)
    second = staff.compact()
    assert (second.objects, second.erased) == (5, 0)
    assert len(segments(staff)) == 1
    assert receipts(staff) == []


def test_it_is_time_to_compact_when_there_are_many_small_segments(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "MOST_SEGMENTS", 2)

    due = [
        staff.enroll(staff.record(f"{number}.jpg", [vector(number)])).compact for number in range(4)
    ]

    assert due == [False, False, True, True]


def test_joined_segments_are_never_larger_than_a_full_one(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "FULL", 4)
    fill(staff, *"abcdefgh")
    before = staff.alive()

    staff.compact(force=True)

    assert [each.rows for each in staff.head().segments] == [4, 4]
    assert staff.alive() == before


def test_rules_are_joined_and_kept_while_an_older_enrolment_may_come(staff: Desk) -> None:
    staff.clock -= 20 * DAY
    staff.create("old")
    staff.forget("old", person="anna", asked_at=staff.clock)
    staff.forget("old", person="ben", asked_at=staff.clock + 10 * DAY)
    staff.compact("old", force=True)
    (tombstones,) = staff.head("old").tombstones

    assert tombstones.rules == 1
    assert len(staff.objects("collections/old/tombstones/")) == 1


def test_a_rule_stays_while_a_row_is_dead_because_of_it(desk: Desk, later: Later) -> None:
    desk.create(erase_within_days=30)
    record = desk.record("many.jpg", [vector(face) for face in range(10)])
    desk.enroll(record, faces=(0,), person="anna")
    desk.enroll(record, person="ben")
    desk.compact(force=True)
    desk.forget(person="anna")
    later(17 * DAY)

    first = desk.compact()

    assert (first.erased, first.vectors) == (0, 9)
    assert [each.rules for each in desk.head().tombstones] == [1]
    later(12 * DAY)
    assert desk.compact().erased == 1
    assert desk.head().tombstones == ()


def test_objects_that_no_task_published_are_erased_after_an_hour(staff: Desk) -> None:
    fill(staff, "anna")
    for key in ("collections/staff/segments/lost", "collections/gone/segments/lost"):
        age(staff, key, minutes=61)
    age(staff, "collections/staff/segments/new", minutes=50)

    result = staff.compact()

    assert result.objects == 2
    assert "collections/staff/segments/new" in staff.objects("collections/")
    assert staff.objects("collections/gone/") == []
    assert staff.alive() == [("anna.jpg", 0, "anna")]


def age(desk: Desk, key: str, *, minutes: int) -> None:
    location = Location("collections", key)
    desk.store.write(location, b"lost", media_type="")
    assert isinstance(desk.store, LocalStore)
    path = desk.store._path(location)
    written = path.stat().st_mtime - 60 * minutes
    os.utime(path, (written, written))


def test_objects_of_other_collections_are_left_alone(staff: Desk) -> None:
    staff.create("guests")
    staff.enroll(staff.record("a.jpg", [vector(1)]), collection="guests")
    for key in staff.objects("collections/guests/"):
        path = staff.store._path(Location("collections", key))  # type: ignore[attr-defined]
        os.utime(path, (1, 1))

    staff.compact(force=True)

    assert staff.alive("guests") == [("a.jpg", 0, None)]


def test_copies_of_erased_segments_are_deleted_from_disk(staff: Desk) -> None:
    fill(staff, "anna", "ben")
    staff.forget(person="anna")
    staff.compact(force=True)

    copies = {path.stem for path in staff.places.scratch.rglob("*") if path.is_file()}

    assert copies == {each.sha256 for each in staff.head().segments}


def test_a_compaction_has_the_memory_of_searches(staff: Desk) -> None:
    fill(staff, "anna")
    warm = warm_of(staff.places.scratch, staff.context.settings.memory_mb)
    head, rules = staff.head(), read_rules(staff.places, staff.head())
    warm.search(staff.places, head, rules, Question(vector(1)[None], k=1), at=now())
    assert warm.bytes > 0

    staff.compact()

    assert warm.bytes == 0


def test_a_repeated_run_leaves_the_receipt_of_what_the_first_erased(staff: Desk) -> None:
    for person in ("anna", "ben"):
        staff.enroll(staff.record(f"{person}.jpg", [vector(len(person))]), person=person)
    asked_at = staff.tick()

    for person in ("anna", "ben"):
        staff.forget(person=person)
        staff.compact(force=True, asked_at=asked_at)

    written = [key for key in staff.objects("receipts/staff/") if "-erased" in key]
    receipts = [json.loads(staff.store.read(Location("collections", key))) for key in written]
    assert [each["vectors"] for each in receipts] == [1, 1]
    assert set(receipts[0]["objects"]).isdisjoint(receipts[1]["objects"])


def test_a_segment_that_another_run_replaced_is_not_measured(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.create(index="hnsw")
    for number in range(3):
        desk.enroll(desk.record(f"{number}.jpg", [vector(number)]), person=f"p{number}")
    read, left = stored.read_segment, [1]

    def replaced_first(*arguments: Any) -> Any:
        if left:
            left.pop()
            desk.forget(person="p0")
            desk.compact(force=True)
        return read(*arguments)

    monkeypatch.setattr(measuring, "read_segment", replaced_first)

    assert desk.compact(force=True).vectors == 2


def test_a_head_that_supersedes_somebody_elses_object_is_a_mismatch(staff: Desk) -> None:
    fill(staff, "anna")
    staff.create("guests")
    foreign = Superseded(key="collections/guests/head.json", since=0, because="merged")
    change_head(staff.places, "staff", lambda head: head.but(superseded=(foreign,)))

    with pytest.raises(SegmentMismatch, match=r"supersedes collections/guests/head\.json"):
        staff.compact()
    assert staff.describe("guests")


def test_nothing_is_compacted_without_a_collection(desk: Desk) -> None:
    with pytest.raises(CollectionMissing):
        desk.compact()
