"""A search answers with what the latest head has, of rows that live, after its audit record."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from containers.vector_index.backends.warm import warm_of
from containers.vector_index.stored.places import now
from pipeline.artifacts import AccessDenied, Artifact, LocalStore, Location
from pipeline.contracts.collection_searches import Search
from pipeline.errors import (
    CollectionMissing,
    CollectionTooLarge,
    EmbeddingMismatch,
    InvalidOptions,
    SourceMissing,
)
from tests.containers.vector_index.faces import people
from tests.containers.vector_index.shelf import DAY, Shelf

ANN, BEN, CLEO = (people(1, 4, 128, seed=seed) for seed in (10, 11, 12))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(LocalStore(tmp_path / "store"), tmp_path / "scratch").create()


def keys_of(person: str, count: int = 4) -> list[str]:
    return [f"{person}/{number}.jpg" for number in range(count)]


def test_matches_are_by_falling_similarity_and_say_what_was_enrolled(shelf: Shelf) -> None:
    shelf.enroll(ANN[:3], people=["ann"] * 3, keys=keys_of("ann", 3)).enroll(
        BEN, people=["ben"] * 4
    )

    found = shelf.found(ANN[3])

    exact = ANN[3].astype(np.float64) @ ANN[:3].T
    assert [each.similarity for each in found] == pytest.approx(sorted(exact)[::-1], abs=1e-3)
    assert {each.key for each in found} == set(keys_of("ann", 3))
    assert {(each.person, each.bucket, each.subject) for each in found} == {("ann", "ingest", 0)}
    assert found[0].enrolled_at is not None
    assert abs((datetime.now(UTC) - found[0].enrolled_at).total_seconds()) < 60


def test_the_threshold_cuts_what_the_k_nearest_are(shelf: Shelf) -> None:
    shelf.enroll(ANN, people=["ann"] * 4)

    assert len(shelf.found(ANN[0], k=2)) == 2
    assert len(shelf.found(ANN[0], threshold=0.99)) == 1
    assert len(shelf.found(BEN[0])) == 0  # by default, what the model calls the same
    assert len(shelf.found(BEN[0], threshold=-1)) == 4


def test_every_query_has_its_own_matches(shelf: Shelf) -> None:
    shelf.enroll(np.concatenate([ANN, BEN]), people=["ann"] * 4 + ["ben"] * 4)

    searched = shelf.search(np.stack([BEN[0], ANN[0], CLEO[0]]))

    assert [{each.person for each in one.matches} for one in searched.queries] == [
        {"ben"},
        {"ann"},
        set(),
    ]
    assert [one.subject for one in searched.queries] == [0, 1, 2]
    assert searched.searched == 8
    assert searched.threshold == 0.6


def test_one_persons_vectors_are_looked_through(shelf: Shelf) -> None:
    shelf.enroll(np.concatenate([ANN, BEN]), people=["ann"] * 4 + ["ben"] * 4)

    searched = shelf.search(ANN[:1], person="ben", threshold=-1)

    assert {each.person for each in searched.queries[0].matches} == {"ben"}
    assert searched.searched == 4


def test_a_new_collection_has_no_matches(shelf: Shelf) -> None:
    shelf.publish(lambda head: head.but(weights_sha256=None, dimension=None, same_above=None))

    searched = shelf.search(ANN[:2], threshold=0.2)

    assert [one.matches for one in searched.queries] == [(), ()]
    assert (searched.searched, searched.threshold) == (0, 0.2)


def test_the_next_search_finds_nothing_of_a_forgotten_person(shelf: Shelf) -> None:
    shelf.enroll(ANN[:2], people=["ann"] * 2).enroll(BEN, people=["ben"] * 4)
    assert len(shelf.found(ANN[2])) == 2

    shelf.forget_person("ann")

    assert shelf.found(ANN[2], threshold=-1, k=100) != []
    assert {each.person for each in shelf.found(ANN[2], threshold=-1, k=100)} == {"ben"}
    assert shelf.search(ANN[:1]).searched == 4


def test_the_next_search_finds_nothing_of_a_forgotten_photo(shelf: Shelf) -> None:
    shelf.enroll(ANN, keys=keys_of("ann"))
    assert len(shelf.keys(ANN[0])) == 4

    shelf.forget_key("ann/1.jpg")

    assert set(shelf.keys(ANN[0])) == {"ann/0.jpg", "ann/2.jpg", "ann/3.jpg"}


def test_a_search_loads_what_was_enrolled_since_the_last_one(shelf: Shelf) -> None:
    shelf.enroll(ANN[:1], keys=["first"])
    assert shelf.keys(ANN[2]) == ["first"]

    shelf.enroll(ANN[1:2], keys=["second"])

    assert set(shelf.keys(ANN[2])) == {"first", "second"}


def test_one_photo_in_two_segments_is_one_match(shelf: Shelf) -> None:
    """Two executions enrolled it at once."""
    shelf.enroll(ANN[:2], keys=["same", "other"]).enroll(ANN[:1], keys=["same"])

    searched = shelf.search(ANN[:1])

    assert sorted(each.key for each in searched.queries[0].matches) == ["other", "same"]
    assert searched.searched == 2


def test_a_photo_enrolled_again_after_it_was_forgotten_is_found(shelf: Shelf) -> None:
    shelf.enroll(ANN[:1], keys=["same"], enrolled_at=now() - DAY)
    shelf.forget_key("same")
    assert shelf.keys(ANN[0]) == []

    shelf.enroll(ANN[:1], keys=["same"], enrolled_at=now() + 1000)

    assert shelf.keys(ANN[0]) == ["same"]


def test_of_one_photo_the_newest_vector_stays_until_it_expires(shelf: Shelf) -> None:
    nearly = now() - 365 * DAY + 1500
    shelf.enroll(ANN[:1], keys=["same"], enrolled_at=nearly).enroll(
        ANN[:1], keys=["same"], enrolled_at=nearly + DAY
    )
    assert shelf.keys(ANN[0]) == ["same"]

    time.sleep(1.6)

    assert shelf.keys(ANN[0]) == ["same"]


def test_a_vector_past_its_retention_is_not_found(tmp_path: Path) -> None:
    shelf = Shelf(LocalStore(tmp_path / "store"), tmp_path / "scratch").create(retention_days=30)
    shelf.enroll(ANN[:1], keys=["old"], enrolled_at=now() - 30 * DAY)
    shelf.enroll(ANN[1:3], keys=["a", "b"], enrolled_at=now() - 29 * DAY)

    assert set(shelf.keys(ANN[3])) == {"a", "b"}


def test_a_vector_expires_between_two_searches(tmp_path: Path) -> None:
    shelf = Shelf(LocalStore(tmp_path / "store"), tmp_path / "scratch").create(retention_days=1)
    shelf.enroll(ANN[:1], keys=["soon"], enrolled_at=now() - DAY + 1500)
    assert shelf.keys(ANN[1]) == ["soon"]

    time.sleep(1.6)

    assert shelf.keys(ANN[1]) == []


def test_an_audit_record_says_who_searched_and_has_no_vector(shelf: Shelf) -> None:
    shelf.enroll(ANN, people=["ann"] * 4)

    searched = shelf.search(ANN[:2], k=7, person="ann")

    (listed,) = shelf.store.listing(Location("collections", "searches/"))
    content = shelf.store.read(listed.location)
    record = Search.model_validate_json(content)
    assert listed.location.key.startswith(f"searches/staff/{record.at:%Y-%m-%d}/")
    assert record.search == searched.search
    assert (record.collection, record.scope, record.asked_by) == ("staff", "collection", "operator")
    assert (record.k, record.threshold, record.queries, record.matches) == (7, 0.6, 2, 8)
    assert record.person_filter
    assert b"ann" not in content.replace(b"arn:", b"")


class Unwritable(LocalStore):
    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact:
        if location.key.startswith("searches/"):
            raise AccessDenied(location.uri)
        return super().write(location, content, media_type=media_type)


def test_without_an_audit_record_there_is_no_answer(shelf: Shelf) -> None:
    shelf.enroll(ANN)
    shelf.store = Unwritable(shelf.store.root)
    shelf.restart()

    with pytest.raises(AccessDenied):
        shelf.search(ANN[:1])


def test_a_missing_collection_is_named(shelf: Shelf) -> None:
    with pytest.raises(CollectionMissing, match="nobody"):
        shelf.search(ANN[:1], collection="nobody")


def test_a_deleted_collection_leaves_memory_and_disk(shelf: Shelf) -> None:
    shelf.enroll(ANN)
    shelf.search(ANN[:1])
    folder = shelf.scratch / "vector-index" / shelf.head.id
    assert list(folder.glob("*.safetensors"))

    shelf.store.erase_below(Location("collections", "collections/staff/"))

    with pytest.raises(CollectionMissing):
        shelf.search(ANN[:1])
    assert not list(folder.glob("*.safetensors"))


def test_a_collection_of_the_same_name_has_none_of_the_deleted_ones_rows(shelf: Shelf) -> None:
    shelf.enroll(ANN)
    assert len(shelf.found(ANN[0])) == 4
    old = shelf.places.scratch / shelf.head.id
    shelf.store.erase_below(Location("collections", "collections/staff/"))

    shelf.create().enroll(ANN[:1], keys=["new"])

    assert shelf.keys(ANN[0]) == ["new"]
    assert warm_of(shelf.places.scratch, shelf.memory_mb).bytes == 128 * 2
    assert not list(old.glob("*.safetensors"))


@pytest.mark.parametrize(
    "change", [{"weights_sha256": "0" * 64}, {"dimension": 512}], ids=["weights", "dimension"]
)
def test_vectors_that_cannot_be_compared_are_refused(
    shelf: Shelf, change: dict[str, object]
) -> None:
    shelf.publish(lambda head: head.but(**change))

    with pytest.raises(EmbeddingMismatch, match="the collection staff has"):
        shelf.search(ANN[:1])


@pytest.mark.parametrize("value", [np.nan, np.inf, 0], ids=["NaN", "infinity", "zero"])
def test_a_query_without_a_direction_is_refused(shelf: Shelf, value: float) -> None:
    shelf.enroll(ANN)
    query = ANN[:2].copy()
    query[1] = value

    with pytest.raises(EmbeddingMismatch, match="vector 1"):
        shelf.search(query)


def test_more_queries_than_a_search_has_are_refused(shelf: Shelf) -> None:
    with pytest.raises(InvalidOptions, match="21 vectors to look for, of at most 20"):
        shelf.search(people(21, 1, 128))


def test_vectors_that_are_gone_are_named(shelf: Shelf) -> None:
    job = shelf.job(ANN[:1])
    shelf.store.erase_below(Location("work", "vectors/"))

    from containers.vector_index.searching.searching import search_vectors

    with pytest.raises(SourceMissing, match="vectors/query-"):
        search_vectors(job, shelf.context)


def test_a_collection_that_cannot_fit_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    shelf = Shelf(LocalStore(tmp_path / "store"), tmp_path / "scratch", memory_mb=385).create()
    shelf.enroll(people(5000, 1, 128))
    folder = shelf.scratch / "vector-index" / shelf.head.id
    for path in folder.glob("*"):
        path.unlink()

    with pytest.raises(CollectionTooLarge, match="5,000 vectors of staff need 1 MB") as refused:
        shelf.search(ANN[:1])

    assert "`matteline collections move NAME --to s3-vectors`" in refused.value.hint
    assert not list(folder.glob("*"))
