"""A collection moves to S3 Vectors in parts, and nothing is lost, doubled or found again."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pytest

from containers.vector_index import copying, deleting, moving
from containers.vector_index.backends.segments import SegmentsBackend
from containers.vector_index.stored.tombstones import Rules
from pipeline.aws.s3_vectors import S3Vectors
from pipeline.errors import (
    CollectionBusy,
    CollectionMissing,
    InvalidOptions,
    StoreUnavailable,
)
from tests.containers.vector_index.backends.desk import Desk, Sitter
from tests.containers.vector_index.faces import people

FACES: Final = people(10, 4, 32, seed=5)
SITTERS: Final = [Sitter(face, f"{n:02}.jpg", f"p{n // 4}") for n, face in enumerate(FACES)]
KEYS: Final = {each.key for each in SITTERS}
LATE: Final = Sitter(people(1, 1, 32, seed=6)[0], "late.jpg", "late")
Once = Callable[[Any, str, Callable[[], object]], None]


@pytest.fixture
def staff(desk: Desk) -> Desk:
    """A collection of forty faces in four segments."""
    desk.create()
    for start in range(0, 40, 10):
        desk.enroll(SITTERS[start : start + 10])
    return desk


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every call copy three rows."""
    monkeypatch.setattr(copying, "PART", 3)
    monkeypatch.setattr(moving, "MOST_SECONDS", 0)


def move_on(desk: Desk, between: Callable[[int], object] = lambda _: None) -> int:
    """Move a collection call by call; return how many calls it took."""
    after, calls = None, 0
    while True:
        moved = desk.move(after=after)
        after, calls = moved.after, calls + 1
        if after is None:
            return calls
        between(calls)


def test_what_was_found_before_a_move_is_found_after_it(staff: Desk) -> None:
    before = staff.search(FACES[::7], threshold=-1.0, k=100)

    moved = staff.move()

    after = staff.search(FACES[::7], threshold=-1.0, k=100)
    assert (moved.moved, moved.total, moved.after) == (40, 40, None)
    assert [[match.key for match in each.matches] for each in after.queries] == [
        [match.key for match in each.matches] for each in before.queries
    ]
    first, was = after.queries[0].matches[0], before.queries[0].matches[0]
    assert first.similarity == pytest.approx(was.similarity, abs=1e-3)
    assert first.model_copy(update={"similarity": was.similarity}) == was
    assert after.searched == 40
    seen = staff.describe()
    assert (seen.backend, seen.vectors, seen.segments, seen.moving_to) == (
        "s3-vectors",
        40,
        0,
        None,
    )
    assert staff.enroll([*SITTERS[:3], Sitter(FACES[0], "new.jpg")]).known == 3


def test_the_segments_are_erased_by_compaction_after_a_move(staff: Desk) -> None:
    staff.move()
    assert len(staff.objects("collections/staff/segments/")) == 4

    compacted = staff.compact(force=True)

    assert (compacted.erased, compacted.vectors) == (0, 40)
    assert staff.objects("collections/staff/segments/") == []
    assert set(staff.found(FACES[0])) == KEYS


@pytest.mark.usefixtures("in_parts")
def test_a_move_goes_on_where_the_last_call_stopped(staff: Desk) -> None:
    first = staff.move()
    seen = staff.describe()

    assert (first.moved, first.total) == (3, 40)
    assert (seen.backend, seen.moving_to) == ("segments", "s3-vectors")
    assert len(staff.stored_keys()) == 3
    assert set(staff.found(FACES[0])) == KEYS
    assert staff.move().moved == 3  # it needs no cursor
    assert len(staff.stored_keys()) == 6
    move_on(staff)
    assert staff.describe().backend == "s3-vectors"
    assert len(staff.stored_keys()) == 40
    assert set(staff.found(FACES[0])) == KEYS
    assert staff.move().after is None


@pytest.mark.usefixtures("in_parts")
def test_what_happens_between_two_calls_of_a_move_is_in_the_end_of_it(staff: Desk) -> None:
    new = people(10, 1, 32, seed=6)

    def happen(calls: int) -> None:
        if calls <= len(new):
            staff.enroll([Sitter(new[calls - 1], f"new-{calls:02}.jpg", "new")])
        if calls == 4:
            staff.forget(person="p2")
        if calls == 6:
            staff.compact(force=True)
        if calls == 8:
            staff.forget(photo="00.jpg")
            staff.enroll(SITTERS[:1])  # the same id, asked for later

    move_on(staff, happen)

    living = {each.key for each in SITTERS if each.person != "p2"}
    assert set(staff.found(FACES[0])) == living | {f"new-{n:02}.jpg" for n in range(1, 11)}
    assert staff.describe().vectors == 46
    assert staff.compact(force=True).vectors == 46
    assert len(staff.stored_keys()) == 46


def test_what_is_enrolled_and_forgotten_before_the_switch_is_not_lost(
    staff: Desk, once: Once
) -> None:
    new = people(2, 1, 32, seed=7)

    def happen() -> None:
        staff.enroll([Sitter(new[0], "new.jpg", "new"), Sitter(new[1], "gone.jpg", "p9")])
        staff.forget(person="p9")
        staff.compact(force=True)

    once(moving, "compare", happen)
    move_on(staff)

    living = {each.key for each in SITTERS if each.person != "p9"} | {"new.jpg"}
    assert set(staff.found(FACES[0])) == living
    assert staff.compact(force=True).vectors == len(living)
    assert set(staff.stored_photos()) == living


def test_what_is_enrolled_as_the_head_is_published_is_not_lost(staff: Desk, once: Once) -> None:
    new = Sitter(people(1, 1, 32, seed=7)[0], "new.jpg")
    once(moving, "_switched", lambda: staff.enroll([new]))

    staff.move()

    assert set(staff.found(FACES[0])) == KEYS | {"new.jpg"}
    assert staff.describe().vectors == 41


def test_what_is_forgotten_as_the_last_rows_were_copied_is_erased_in_time(
    staff: Desk, once: Once, wait: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    once(moving, "compare", lambda: staff.enroll([LATE]))
    catch_up, left = copying.catch_up, [1]

    def copied_then_forgotten(*arguments: Any) -> Any:
        stored = catch_up(*arguments)
        if left:
            left.pop()
            staff.forget(person="late")
        return stored

    monkeypatch.setattr(moving, "catch_up", copied_then_forgotten)
    staff.move()
    assert LATE.key in staff.stored_photos()

    wait(6)
    staff.compact()
    assert LATE.key not in staff.stored_photos()


@pytest.mark.usefixtures("in_parts")
def test_what_is_forgotten_after_it_was_copied_is_deleted_from_the_copy(staff: Desk) -> None:
    staff.move()
    copied = min(staff.stored_photos())
    staff.forget(photo=copied)

    move_on(staff)

    assert set(staff.stored_photos()) == KEYS - {copied}


def test_an_enrolment_that_began_before_the_switch_ends_after_it(staff: Desk, once: Once) -> None:
    once(SegmentsBackend, "add", staff.move)

    enrolled = staff.enroll([Sitter(people(1, 1, 32, seed=8)[0], "late.jpg"), SITTERS[0]])

    assert (enrolled.enrolled, enrolled.known, enrolled.vectors) == (1, 1, 41)
    assert set(staff.found(FACES[0])) == KEYS | {"late.jpg"}
    staff.compact(force=True)
    assert staff.objects("collections/staff/segments/") == []


def test_forgotten_rows_are_not_copied(staff: Desk) -> None:
    staff.forget(person="p0")

    assert staff.move().moved == 36
    assert len(staff.stored_keys()) == 36


@pytest.mark.usefixtures("in_parts")
def test_what_is_copied_is_erased_by_compaction_during_a_move(staff: Desk) -> None:
    for _ in range(5):
        staff.move()
    copied = set(staff.stored_photos())
    gone = min(copied)
    staff.forget(photo=gone)

    staff.compact(force=True)

    assert set(staff.stored_photos()) == copied - {gone}


@pytest.mark.usefixtures("in_parts")
def test_a_move_to_where_a_collection_is_ends_one_that_goes_elsewhere(staff: Desk) -> None:
    staff.move()

    assert staff.move("segments").total == 40
    assert staff.stored_keys() == {}
    assert staff.describe().moving_to is None
    assert set(staff.found(FACES[0])) == KEYS


@pytest.mark.usefixtures("in_parts")
def test_a_deleted_collection_leaves_no_copy(staff: Desk) -> None:
    staff.move()
    staff.delete()

    assert staff.stored_keys() == {}
    assert staff.objects("collections/") == []


def test_no_collection_moves_back(staff: Desk) -> None:
    staff.move()

    with pytest.raises(InvalidOptions, match="S3 Vectors"):
        staff.move("segments")


def test_a_compaction_during_a_move_with_nothing_copied_yet_succeeds(
    desk: Desk, once: Once
) -> None:
    desk.create()
    once(moving, "complete", lambda: desk.compact(force=True))

    assert desk.move().total == 0


def test_segments_that_compaction_merged_before_the_switch_are_counted_once(
    staff: Desk, once: Once
) -> None:
    once(moving, "_switched", lambda: staff.compact(force=True))

    move_on(staff)

    assert staff.describe().vectors == 40
    assert len(staff.stored_keys()) == 40


def test_a_compaction_before_the_comparison_lets_the_move_go_on(staff: Desk, once: Once) -> None:
    once(moving, "compare", lambda: staff.compact(force=True))

    assert staff.move().after is not None
    assert staff.describe().backend == "segments"
    assert move_on(staff) == 1
    assert set(staff.found(FACES[0])) == KEYS


def test_an_empty_collection_moves_at_once(desk: Desk) -> None:
    desk.create()

    assert desk.move().total == 0
    assert desk.describe().backend == "s3-vectors"
    desk.enroll(SITTERS[:2])
    assert len(desk.found(FACES[0])) == 2


def test_a_first_enrolment_during_a_move_is_not_lost(desk: Desk, once: Once) -> None:
    desk.create()
    once(moving, "compare", lambda: desk.enroll(SITTERS[:5]))

    desk.move()

    assert set(desk.found(FACES[0])) == {each.key for each in SITTERS[:5]}
    assert desk.describe().vectors == 5


def test_a_collection_that_is_deleted_while_it_moves_leaves_no_copy(
    staff: Desk, once: Once
) -> None:
    once(S3Vectors, "create", staff.delete)

    with pytest.raises(CollectionMissing):
        staff.move()

    assert staff.vectors.list_indexes(vectorBucketName=staff.bucket("vectors"))["indexes"] == []


def test_a_collection_that_is_deleted_as_it_switches_leaves_no_copy(
    desk: Desk, once: Once, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.create()
    elsewhere = SimpleNamespace(rmtree=lambda *_, **__: None)  # on another function's disk
    monkeypatch.setattr(deleting, "shutil", elsewhere)

    def enrolled_then_deleted() -> None:
        desk.enroll(SITTERS[:5])
        once(S3Vectors, "create", desk.delete)

    once(moving, "compare", enrolled_then_deleted)

    with pytest.raises(CollectionMissing):
        desk.move()

    assert desk.stored_keys() == {}


def _lose(desk: Desk) -> None:
    (index,) = desk.vectors.list_indexes(vectorBucketName=desk.bucket("vectors"))["indexes"]
    desk.vectors.delete_vectors(indexArn=index["indexArn"], keys=[min(desk.stored_keys())])


def _replace(desk: Desk) -> None:
    (index,) = desk.vectors.list_indexes(vectorBucketName=desk.bucket("vectors"))["indexes"]
    noise = people(40, 1, 32, seed=9)
    desk.vectors.put_vectors(
        indexArn=index["indexArn"],
        vectors=[
            {"key": key, "data": {"float32": values.tolist()}, "metadata": metadata}
            for values, (key, metadata) in zip(noise, desk.stored_keys().items(), strict=True)
        ],
    )


@pytest.mark.parametrize(
    ("spoil", "why"), [(_lose, "39 vectors, not 40"), (_replace, "of the nearest vectors")]
)
def test_a_copy_that_is_not_whole_or_finds_others_is_not_switched_to(
    staff: Desk, once: Once, spoil: Callable[[Desk], None], why: str
) -> None:
    once(moving, "compare", lambda: spoil(staff))

    with pytest.raises(StoreUnavailable, match=why):
        staff.move()

    assert staff.describe().backend == "segments"
    assert set(staff.found(FACES[0])) == KEYS


def test_a_move_that_another_task_ends_does_not_switch(staff: Desk, once: Once) -> None:
    once(moving, "compare", lambda: staff.move("segments"))

    with pytest.raises(CollectionBusy, match="ended by another task"):
        staff.move()

    assert staff.describe().backend == "segments"
    assert staff.stored_keys() == {}


def test_the_samples_come_from_all_segments(staff: Desk) -> None:
    head = staff.head
    copied = copying.Copied(
        frozenset(each.sha256 for each in head.segments),
        (),
        Rules(),
        frozenset(map(str, range(40))),
        0,
    )

    samples = copying._samples(staff.places, head, copied, 0)

    places = [int(np.argmax(FACES @ each)) for each in samples]
    assert len(set(places)) == 20
    assert {place // 10 for place in places} == {0, 1, 2, 3}
