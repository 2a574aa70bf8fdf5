"""Collections are created for a reason, described, exported, audited, and deleted for good."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pytest
from safetensors.numpy import load

from containers.vector_index.searching.auditing import write_search
from containers.vector_index.stored.head import change_head
from pipeline.artifacts import Artifact, Location
from pipeline.contracts.collection import Exported, ExportPerson
from pipeline.contracts.collection_searches import ListSearches, Search, SearchesListed
from pipeline.errors import (
    CollectionBusy,
    CollectionExists,
    CollectionMissing,
    ConsentMissing,
    SegmentMismatch,
)
from tests.containers.vector_index.desk import CONSENT, MODEL, WEIGHTS, Desk, vector


def test_a_collection_is_created_empty(desk: Desk) -> None:
    assert desk.create(allowed=("door",)).created
    (described,) = desk.describe()

    assert (described.name, described.consent, described.model) == ("staff", CONSENT, MODEL)
    assert (described.backend, described.index, described.allowed) == (
        "segments",
        "flat",
        ("door",),
    )
    assert (described.vectors, described.forgotten, described.segments) == (0, 0, 0)
    assert (described.weights_sha256, described.dimension, described.same_above) == (None,) * 3


def test_without_consent_nothing_is_created(desk: Desk) -> None:
    with pytest.raises(ConsentMissing, match="purpose, legal basis and retention"):
        desk.create(consent=None)
    assert desk.objects() == []


def test_creating_the_same_again_is_a_success(staff: Desk) -> None:
    before = staff.head()

    assert not staff.create().created
    assert staff.head() == before


DIFFERENT: Final[dict[str, Any]] = {
    "consent": CONSENT.model_copy(update={"retention_days": 31}),
    "model": "sface",
    "backend": "s3-vectors",
    "index": "ivf",
    "allowed": ("door",),
    "erase_within_days": 8,
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_creating_another_of_the_same_name_is_refused(staff: Desk, name: str) -> None:
    with pytest.raises(CollectionExists, match=name):
        staff.create(**{name: DIFFERENT[name]})


def test_creating_with_another_list_names_the_command_that_changes_it(staff: Desk) -> None:
    with pytest.raises(CollectionExists, match="`matteline collections allow staff` changes"):
        staff.create(allowed=("door",))


def test_all_collections_are_described_by_name(staff: Desk) -> None:
    staff.create("guests")
    staff.enroll(staff.record("a.jpg", [vector(1)]))

    assert [(each.name, each.vectors) for each in staff.describe(None)] == [
        ("guests", 0),
        ("staff", 1),
    ]


def test_a_missing_collection_is_not_described(staff: Desk) -> None:
    with pytest.raises(CollectionMissing):
        staff.describe("guests")


def test_a_searcher_is_told_of_collections_that_allow_it(staff: Desk) -> None:
    staff.create("guests", allowed=("ada", "ben"))

    assert [each.name for each in staff.describe(None, searcher="ada")] == ["guests"]
    assert [each.name for each in staff.describe("guests", searcher="ben")] == ["guests"]
    assert staff.describe(None, searcher="eve") == ()


def test_a_broken_collection_is_as_missing_to_whom_it_does_not_allow(staff: Desk) -> None:
    staff.create("guests", allowed=("ada",))
    staff.forget(person="anna")
    staff.store.erase_below(staff.places.collection("staff")._replace(key="collections/staff/t"))
    with pytest.raises(SegmentMismatch):
        staff.describe("staff")

    with pytest.raises(CollectionMissing):
        staff.describe("staff", searcher="ada")
    assert [each.name for each in staff.describe(None, searcher="ada")] == ["guests"]


def test_one_that_is_being_deleted_is_not_among_all(staff: Desk) -> None:
    staff.create("guests")
    change_head(staff.places, "guests", lambda head: head.but(state="deleting"))

    assert [each.name for each in staff.describe(None)] == ["staff"]


def export(desk: Desk, person: str) -> Exported:
    return desk.run(desk.job(ExportPerson, collection="staff", person=person), Exported)


def read(desk: Desk, artifact: Artifact | None) -> bytes:
    assert artifact is not None
    return desk.store.read(Location.parse(artifact.uri))


def test_all_of_a_person_is_exported_and_nothing_else(staff: Desk) -> None:
    staff.enroll(staff.record("anna.jpg", [vector(1)]), person="anna")
    staff.enroll(staff.record("ben.jpg", [vector(2)]), person="ben")
    staff.enroll(staff.record("anna2.jpg", [vector(3)]), person="anna")

    result = export(staff, "anna")
    document = json.loads(read(staff, result.document))
    vectors = load(read(staff, result.vectors))["embeddings"]

    assert result.count == 2
    assert {each["fact"]["key"] for each in document["vectors"]} == {"anna.jpg", "anna2.jpg"}
    assert (document["person"], document["purpose"]) == ("anna", CONSENT.purpose)
    assert (document["model"], document["weights_sha256"]) == (MODEL, WEIGHTS)
    assert np.abs(vectors - np.stack([vector(1), vector(3)])).max() < 1e-3
    assert all(key.startswith("exports/staff/e-") for key in staff.objects("exports/"))


def test_of_somebody_forgotten_nothing_is_exported(staff: Desk) -> None:
    staff.enroll(staff.record("anna.jpg", [vector(1)]), person="anna")
    staff.forget(person="anna")

    assert export(staff, "anna") == Exported(
        collection="staff", count=0, document=None, vectors=None
    )
    assert [key for key in staff.objects("exports/") if key.endswith("person.json")] == []


def test_a_deleted_collection_leaves_receipts_and_audit_records_only(staff: Desk) -> None:
    staff.create("guests")
    for name in ("staff", "guests"):
        staff.enroll(staff.record("anna.jpg", [vector(1)]), person="anna", collection=name)
    staff.forget(person="anna")
    export(staff, "anna")
    write_search(staff.places, search(datetime.now(UTC)))

    result = staff.delete()

    left = [key for key in staff.objects() if "guests" not in key]
    assert {key.split("/")[0] for key in left} == {"receipts", "searches"}
    assert staff.alive("guests") == [("anna.jpg", 0, "anna")]
    assert result.objects == 5  # head, segment, tombstones, pointer, list of photos
    receipt = json.loads(read(staff, result.receipt))
    assert (receipt["vectors"], receipt["objects"]) == (1, 5)
    assert list(staff.places.scratch.glob("*")) != []
    with pytest.raises(CollectionMissing):
        staff.describe()


def test_a_deletion_that_is_repeated_says_the_same_again(staff: Desk) -> None:
    asked_at = staff.tick()
    first = staff.delete(asked_at=asked_at)

    assert staff.delete(asked_at=asked_at) == first
    with pytest.raises(CollectionMissing):
        staff.delete()


def test_a_repeated_deletion_spares_a_newer_collection(staff: Desk) -> None:
    asked_at = staff.tick()
    first = staff.delete(asked_at=asked_at)
    staff.create()

    assert staff.delete(asked_at=asked_at) == first
    assert [each.name for each in staff.describe()] == ["staff"]


def test_a_name_is_free_once_its_deletion_has_ended(staff: Desk) -> None:
    change_head(staff.places, "staff", lambda head: head.but(state="deleting"))
    with pytest.raises(CollectionBusy, match="being deleted"):
        staff.create()

    staff.delete()

    assert staff.create().created


def search(at: datetime, collection: str = "staff") -> Search:
    return Search(
        search=f"{at:%H%M%S%f}",
        at=at,
        asked_by="door",
        execution="e-1",
        collection=collection,
        scope="collection",
        threshold=0.5,
        k=20,
        queries=1,
        matches=2,
        person_filter=False,
    )


def listed(desk: Desk, since: datetime, limit: int = 100) -> list[datetime]:
    job = desk.job(ListSearches, collection="staff", since=since, limit=limit)
    return [each.at for each in desk.run(job, SearchesListed).searches]


def test_searches_are_listed_latest_first(staff: Desk) -> None:
    now = datetime.now(UTC)
    times = [now - timedelta(hours=30 * number, seconds=1) for number in range(5)]
    for at in times:
        write_search(staff.places, search(at))
    write_search(staff.places, search(now, collection="guests"))

    assert listed(staff, since=now - timedelta(days=400)) == times
    assert listed(staff, since=now - timedelta(hours=61)) == times[:3]
    assert listed(staff, since=now - timedelta(days=400), limit=2) == times[:2]
    assert listed(staff, since=now) == []


def test_searches_of_all_times_are_listed_in_bounded_time(staff: Desk) -> None:
    assert listed(staff, since=datetime(1970, 1, 1, tzinfo=UTC)) == []


def test_an_audit_record_has_its_day_and_time_as_its_key(staff: Desk) -> None:
    at = datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
    write_search(staff.places, search(at))

    assert staff.objects("searches/") == [
        "searches/staff/2026-02-03/040506789000-040506789000.json"
    ]
