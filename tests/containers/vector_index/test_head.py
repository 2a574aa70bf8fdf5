"""A head is read strictly, and published only in place of the one it was computed from."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from containers.vector_index.stored import head as module
from containers.vector_index.stored.head import (
    MOST_TRIES,
    Head,
    ObjectGone,
    Superseded,
    change_head,
    create_head,
    read_head,
    read_head_if_changed,
    with_head,
)
from pipeline.errors import CollectionBusy, CollectionMissing, SegmentMismatch
from tests.containers.vector_index.desk import Desk

ADDED: Final = Superseded(key="collections/staff/segments/x", since=0, because="merged")


def with_one_more(head: Head) -> Head:
    return head.but(superseded=(*head.superseded, ADDED))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_WAIT_S", 0.02)


def test_a_head_is_read_as_it_was_published(staff: Desk) -> None:
    published = change_head(staff.places, "staff", with_one_more)

    assert staff.head() == published
    assert published.superseded == (ADDED,)


def test_only_the_first_head_of_a_name_is_created(staff: Desk) -> None:
    assert not create_head(staff.places, staff.head())


def test_a_loser_computes_again_with_the_newer_head(staff: Desk) -> None:
    seen = []

    def change(head: Head) -> Head:
        seen.append(len(head.superseded))
        if len(seen) == 1:
            change_head(staff.places, "staff", with_one_more)
        return with_one_more(head)

    assert len(change_head(staff.places, "staff", change).superseded) == 2
    assert seen == [0, 1]


def test_writers_at_once_lose_nothing(staff: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TRIES", 200)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: change_head(staff.places, "staff", with_one_more), range(40)))

    assert len(staff.head().superseded) == 40


def test_a_writer_who_always_loses_gives_up(staff: Desk) -> None:
    tries = []

    def change(head: Head) -> Head:
        tries.append(head)
        change_head(staff.places, "staff", with_one_more)
        return with_one_more(head)

    with pytest.raises(CollectionBusy, match="8 times in a row"):
        change_head(staff.places, "staff", change)
    assert len(tries) == MOST_TRIES


def test_a_change_that_changes_nothing_writes_nothing(staff: Desk) -> None:
    etag = read_head(staff.places, "staff").etag
    change_head(staff.places, "staff", lambda head: head)

    assert read_head(staff.places, "staff").etag == etag


def test_a_known_head_is_not_read_again(staff: Desk) -> None:
    read = read_head(staff.places, "staff")
    assert read_head_if_changed(staff.places, "staff", etag=read.etag) is None

    change_head(staff.places, "staff", with_one_more)

    newer = read_head_if_changed(staff.places, "staff", etag=read.etag)
    assert newer == read_head(staff.places, "staff")


def test_times_never_go_back(staff: Desk) -> None:
    ahead = staff.head().changed_at + 10**12
    put(staff, {"changed_at": ahead})

    assert change_head(staff.places, "staff", with_one_more).changed_at == ahead


def test_a_reader_of_an_outdated_head_reads_the_newer_one(staff: Desk) -> None:
    def read(head: Head) -> int:
        if not head.superseded:
            change_head(staff.places, "staff", with_one_more)
            raise ObjectGone("segment")
        return len(head.superseded)

    assert with_head(staff.places, "staff", read) == 1


def gone(_: Head) -> Head:
    raise ObjectGone("s3://collections/lost")


def test_a_lost_object_is_a_mismatch(staff: Desk) -> None:
    with pytest.raises(SegmentMismatch, match="not there"):
        with_head(staff.places, "staff", gone)
    with pytest.raises(SegmentMismatch, match="lost is not there"):
        change_head(staff.places, "staff", gone)


def put(desk: Desk, changed: dict[str, Any]) -> None:
    place = desk.places.head("staff")
    content = json.loads(desk.store.read(place)) | changed
    desk.store.write(place, json.dumps(content).encode(), media_type="")


WRONG: Final[dict[str, dict[str, Any]]] = {
    "another schema": {"schema": 2},
    "another name": {"name": "guests"},
    "a name that is a path": {"name": "../guests"},
    "another field": {"more": 1},
    "an id that is a path": {"id": "../../../../etc"},
    "a text as a number": {"erase_within_days": "7"},
    "a truth value as a number": {"changed_at": True},
    "no consent": {"consent": None},
    "another state": {"state": "closed"},
    "another backend": {"backend": "faiss"},
    "a dimension of 2^40": {"dimension": 2**40},
    "a NaN threshold": {"same_above": float("nan")},
    "a segment with a path": {
        "segments": [{"sha256": "../x", "bytes": 1, "rows": 1, "oldest": 0, "newest": 0, "dead": 0}]
    },
    "a segment without rows": {
        "segments": [
            {"sha256": "a" * 64, "bytes": 1, "rows": 0, "oldest": 0, "newest": 0, "dead": 0}
        ]
    },
    "more than a head has": {"model": "x" * (4 * 2**20)},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_something_else_than_a_head_is_a_mismatch(staff: Desk, changed: dict[str, Any]) -> None:
    put(staff, changed)

    with pytest.raises(SegmentMismatch, match=r"staff/head\.json"):
        read_head(staff.places, "staff")


def test_what_is_no_json_is_a_mismatch(staff: Desk) -> None:
    staff.store.write(staff.places.head("staff"), b"\x80\x04.", media_type="")

    with pytest.raises(SegmentMismatch, match="is not a head"):
        read_head(staff.places, "staff")


def test_a_missing_collection_has_no_head(desk: Desk) -> None:
    with pytest.raises(CollectionMissing, match="no collection staff"):
        read_head(desk.places, "staff")
    with pytest.raises(CollectionMissing):
        change_head(desk.places, "staff", with_one_more)


def test_a_collection_that_is_being_deleted_is_missing(staff: Desk) -> None:
    change_head(staff.places, "staff", lambda head: head.but(state="deleting"))

    with pytest.raises(CollectionMissing, match="being deleted"):
        read_head(staff.places, "staff")
    assert read_head(staff.places, "staff", deleting=True).head.state == "deleting"


def test_a_head_that_would_be_too_large_is_not_published(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = staff.head()
    monkeypatch.setattr(module, "MOST_BYTES", 1000)

    with pytest.raises(CollectionBusy, match="compact the collection first"):
        change_head(staff.places, "staff", lambda head: head.but(allowed=("x" * 1000,)))
    assert staff.head() == before
