"""Who may search a collection is changed without another collection, and obeyed at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import pytest

from containers.vector_index.stored.head import Head, change_head
from pipeline.artifacts import LocalStore
from pipeline.contracts.collection import MOST_ALLOWED, AllowedChanged, ChangeAllowed
from pipeline.errors import CollectionMissing, InvalidOptions, SegmentMismatch
from tests.containers.vector_index.desk import Desk
from tests.containers.vector_index.faces import people
from tests.containers.vector_index.shelf import Shelf

ADA, BOB, CAROL = ("a1" * 16, "b0" * 16, "ca" * 16)
ANN: Final = people(1, 4, 128, seed=10)


def change(desk: Desk, **fields: Any) -> tuple[str, ...]:
    job = desk.job(ChangeAllowed, collection="staff", **fields)
    return desk.run(job, AllowedChanged).allowed


def test_principals_are_added_and_removed(staff: Desk) -> None:
    assert change(staff, allow=[ADA, BOB]) == (ADA, BOB)
    assert change(staff, allow=[CAROL], revoke=[ADA]) == (BOB, CAROL)
    assert staff.describe()[0].allowed == (BOB, CAROL)


def test_what_is_so_already_changes_nothing(staff: Desk) -> None:
    change(staff, allow=[ADA])
    before = staff.head()
    time.sleep(0.01)  # a head that was written again would be another by its time

    assert change(staff, allow=[ADA, ADA], revoke=[BOB]) == (ADA,)
    assert staff.head() == before


def test_no_more_are_allowed_than_the_list_has_room_for(staff: Desk) -> None:
    most = [f"{number:032x}" for number in range(MOST_ALLOWED)]
    change(staff, allow=most)

    with pytest.raises(InvalidOptions, match="101 principals could search the collection, of"):
        change(staff, allow=[ADA])
    assert len(change(staff, allow=[ADA], revoke=most[:1])) == MOST_ALLOWED


def test_a_list_that_is_too_long_can_be_shortened(staff: Desk) -> None:
    most = tuple(f"{number:032x}" for number in range(MOST_ALLOWED + 2))
    change_head(staff.places, "staff", lambda head: head.but(allowed=most))

    assert len(change(staff, revoke=most[:1])) == MOST_ALLOWED + 1


def test_a_collection_that_is_missing_allows_nobody(desk: Desk) -> None:
    with pytest.raises(CollectionMissing):
        change(desk, allow=[ADA])


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(LocalStore(tmp_path / "store"), tmp_path / "scratch").create().enroll(ANN)


def allow(shelf: Shelf, *principals: str) -> None:
    shelf.publish(lambda head: head.but(allowed=principals))


def test_the_next_search_obeys(shelf: Shelf) -> None:
    with pytest.raises(CollectionMissing):
        shelf.search(ANN[:1], searcher=ADA)
    allow(shelf, ADA)
    assert len(shelf.found(ANN[0], searcher=ADA)) == 4

    allow(shelf, BOB)

    with pytest.raises(CollectionMissing):
        shelf.search(ANN[:1], searcher=ADA)
    assert len(shelf.found(ANN[0], searcher=BOB)) == 4
    assert len(shelf.found(ANN[0])) == 4  # an operator's


def test_a_hidden_collection_is_told_of_as_a_missing_one(shelf: Shelf) -> None:
    told = []
    for name in ("staff", "never"):
        with pytest.raises(CollectionMissing) as refused:
            shelf.search(ANN[:1], collection=name, searcher=ADA)
        told.append(str(refused.value).replace(name, "…"))

    assert told[0] == told[1]


def test_nobody_is_told_how_a_hidden_collection_is(shelf: Shelf) -> None:
    """Neither its model nor that it is damaged; and nothing is written down as a search."""
    shelf.forget_person("ann")
    for listed in shelf.store.listing(shelf.places.collections()):
        if not listed.location.key.endswith("head.json"):
            shelf.store.erase(listed.location)

    def otherwise(head: Head) -> Head:
        return head.but(dimension=512, weights_sha256="0" * 64)

    with pytest.raises(SegmentMismatch):
        shelf.search(ANN[:1])
    shelf.publish(otherwise)
    for searcher in (ADA, BOB):
        with pytest.raises(CollectionMissing):
            shelf.search(ANN[:1], searcher=searcher)
    keys = [each.location.key for each in shelf.store.listing(shelf.places.searches("staff"))]
    assert keys == []
