"""Nothing finds what was forgotten, from the next search on; nothing brings it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from containers.vector_index import photos
from containers.vector_index.stored.digests import person_digest
from pipeline.artifacts import Location
from pipeline.contracts.collection import ForgetSubject, Forgotten
from pipeline.contracts.collection_enrolments import SkippedRecord
from pipeline.errors import CollectionMissing, SegmentMismatch
from tests.containers.vector_index.desk import INGEST, Desk, vector

NFC, NFD = "Jos\u00e9", "Jose\u0301"


@pytest.fixture
def filled(staff: Desk) -> Desk:
    """Anna on two photos, in two segments, and Ben on one of them."""
    staff.enroll(staff.record("anna/1.jpg", [vector(1)]), person="anna")
    both = staff.record("both.jpg", [vector(2), vector(3)])
    staff.enroll(both, person="anna", faces=(0,))
    staff.enroll(both, person="ben")
    return staff


def test_a_person_is_forgotten_on_all_photos(filled: Desk) -> None:
    result = filled.forget(person="anna")

    assert result.forgotten == 2
    assert result.photos == ("anna/1.jpg", "both.jpg")
    assert filled.alive() == [("both.jpg", 1, "ben")]
    assert [(each.vectors, each.forgotten) for each in filled.describe()] == [(1, 2)]


def test_a_photo_is_forgotten_with_all_its_faces(filled: Desk) -> None:
    result = filled.forget(photo="both.jpg")

    assert (result.forgotten, result.photos) == (2, ())
    assert filled.alive() == [("anna/1.jpg", 0, "anna")]


def test_somebody_who_was_never_enrolled_is_forgotten_without_effect(filled: Desk) -> None:
    result = filled.forget(person="carla")

    assert (result.forgotten, result.photos) == (0, ())
    assert len(filled.alive()) == 3


def test_a_forgotten_persons_name_is_only_in_what_is_erased_soon(filled: Desk) -> None:
    result = filled.forget(person="anna")
    receipt = json.loads(filled.store.read(Location.parse(result.receipt.uri)))

    assert receipt["about"] == "person"
    assert receipt["digest"] == person_digest(filled.head().id, "anna").hex()
    assert receipt["vectors"] == 2
    lasting = [
        Location("collections", key)
        for key in filled.objects()
        if "/segments/" not in key and not key.startswith("exports/")
    ]
    assert [place for place in lasting if b"anna" in filled.store.read(place)] == []


def test_a_receipt_says_until_when_vectors_are_erased(desk: Desk) -> None:
    desk.create(erase_within_days=3)
    asked_at = desk.tick()

    result = desk.forget(person="anna", asked_at=asked_at)

    assert result.erased_by == asked_at + timedelta(days=3)


def test_a_job_that_is_repeated_says_the_same_again(filled: Desk) -> None:
    asked_at = filled.tick()
    first = filled.forget(person="anna", asked_at=asked_at)
    head = filled.head()

    assert (
        filled.forget(person="anna", asked_at=asked_at).model_copy(
            update={"receipt": first.receipt}
        )
        == first
    )
    assert filled.head() == head


def test_many_photos_of_a_person_are_listed_call_by_call(
    filled: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "MOST_PHOTOS", 1)
    asked_at = filled.tick()

    first = filled.forget(person="anna", asked_at=asked_at)
    filled.compact(force=True)
    second = filled.forget(person="anna", asked_at=asked_at, after=first.after)

    assert (first.photos, first.after) == (("anna/1.jpg",), "anna/1.jpg")
    assert (second.photos, second.after) == (("both.jpg",), None)
    assert first.forgotten == 2


def test_an_older_enrolment_does_not_bring_anybody_back(staff: Desk) -> None:
    asked_at = staff.tick()
    staff.forget(person="anna")
    record = staff.record("anna/1.jpg", [vector(1)])

    result = staff.enroll(record, person="anna", asked_at=asked_at)

    assert (result.enrolled, result.known, result.vectors) == (0, 0, 0)
    assert result.skipped == (SkippedRecord(record=record, why="forgotten"),)
    assert staff.objects("collections/staff/segments/") == []


def test_a_person_may_be_enrolled_again_later(filled: Desk) -> None:
    filled.forget(person="anna")

    result = filled.enroll("anna/1_faces.record.json", person="anna")

    assert (result.enrolled, result.vectors) == (1, 2)
    assert ("anna/1.jpg", 0, "anna") in filled.alive()


def test_forgetting_again_kills_what_was_enrolled_since(filled: Desk) -> None:
    filled.forget(person="anna")
    filled.enroll("anna/1_faces.record.json", person="anna")

    assert filled.forget(person="anna").forgotten == 1
    assert filled.alive() == [("both.jpg", 1, "ben")]


def test_the_same_person_has_other_digests_elsewhere(desk: Desk) -> None:
    desk.create("staff")
    desk.create("guests")

    digests = {person_digest(desk.head(name).id, "anna") for name in ("staff", "guests")}

    assert len(digests) == 2


@pytest.mark.parametrize(
    ("enrolled", "forgotten"), [(NFC, NFD), (NFD, NFC)], ids=["composed", "decomposed"]
)
def test_a_person_is_forgotten_however_the_accents_are_written(
    staff: Desk, enrolled: str, forgotten: str
) -> None:
    staff.enroll(staff.record(f"{enrolled}/1.jpg", [vector(1)]), person_from="folder")

    assert staff.forget(person=forgotten).forgotten == 1
    assert staff.alive() == []


def test_many_forgettings_leave_few_objects_to_read(staff: Desk) -> None:
    staff.enroll(staff.record("a.jpg", [vector(1)]), person="p30")
    for number in range(40):
        staff.forget(person=f"p{number}")
    head = staff.head()

    assert len(head.tombstones) <= 16
    assert sum(each.rules for each in head.tombstones) == 40
    assert staff.alive() == []


def test_many_forgettings_do_not_fill_the_head(
    staff: Desk, later: Callable[[timedelta], None]
) -> None:
    for number in range(40):
        staff.forget(person=f"p{number}")
    assert len(staff.head().superseded) == 32

    later(timedelta(minutes=20))
    for number in range(40, 60):
        staff.forget(person=f"p{number}")

    head = staff.head()
    named = [*head.superseded, *head.tombstones]
    assert len(head.superseded) == 16
    assert len(staff.objects("collections/staff/tombstones/")) == len(named)
    assert sum(each.rules for each in head.tombstones) == 60


def test_a_deleted_photo_is_forgotten_in_every_collection(filled: Desk) -> None:
    filled.create("guests")
    filled.enroll("both_faces.record.json", collection="guests")
    filled.store.erase(Location(INGEST, "both.jpg"))

    result = filled.forget_source("both.jpg")

    assert (result.collections, result.forgotten) == (("guests", "staff"), 4)
    assert filled.alive("guests") == []
    assert filled.alive("staff") == [("anna/1.jpg", 0, "anna")]


def test_a_broken_collection_does_not_keep_others_from_forgetting_a_photo(desk: Desk) -> None:
    for name in ("alpha", "broken", "zulu"):
        desk.create(name)
        desk.enroll(desk.record("anna.jpg", [vector(1)]), collection=name)
    desk.store.write(desk.places.head("broken"), b"{}", media_type="application/json")
    desk.store.erase(Location(INGEST, "anna.jpg"))

    with pytest.raises(SegmentMismatch):
        desk.forget_source("anna.jpg")

    assert (desk.alive("alpha"), desk.alive("zulu")) == ([], [])


def test_a_replaced_photo_is_forgotten_and_its_successor_stays(filled: Desk) -> None:
    filled.photo("both.jpg", b"replaced")
    record = filled.record("new.jpg", [vector(9)])
    filled.enroll(record)

    assert filled.forget_source("both.jpg").forgotten == 2
    assert filled.alive() == [("anna/1.jpg", 0, "anna"), ("new.jpg", 0, None)]


def test_a_photo_that_is_still_there_stays(filled: Desk) -> None:
    filled.photo("both.jpg")  # the same bytes again
    before = filled.head()

    assert filled.forget_source("both.jpg").forgotten == 0
    assert filled.head() == before


def test_an_object_of_no_collection_is_forgotten_without_effect(filled: Desk) -> None:
    assert filled.forget_source("nobody.jpg").collections == ()


def test_a_pointer_to_a_deleted_collection_is_harmless(filled: Desk) -> None:
    pointer = filled.objects("photos/")[0]
    content = filled.store.read(Location("collections", pointer))
    filled.delete()
    filled.store.write(Location("collections", pointer), content, media_type="")
    filled.store.erase(Location(INGEST, "anna/1.jpg"))
    filled.store.erase(Location(INGEST, "both.jpg"))

    assert filled.forget_source("anna/1.jpg").forgotten == 0
    assert filled.forget_source("both.jpg").forgotten == 0


def test_nobody_is_forgotten_where_nothing_is(desk: Desk) -> None:
    with pytest.raises(CollectionMissing):
        desk.forget(person="anna")


def test_photos_of_a_person_are_listed_although_their_vectors_are_erased_meanwhile(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compaction may run between two pages, and before a call that is repeated."""
    monkeypatch.setattr(photos, "MOST_PHOTOS", 2)
    records = [staff.record(f"{number}.jpg", [vector(number)]) for number in range(5)]
    staff.enroll(*records, person="Ada")
    job = staff.job(ForgetSubject, collection="staff", person="Ada", ingest_bucket=INGEST)

    pages = [staff.run(job, Forgotten)]
    staff.compact(force=True)
    while (after := pages[-1].after) is not None:
        pages.append(staff.run(job.model_copy(update={"after": after}), Forgotten))

    assert [page.photos for page in pages] == [
        ("0.jpg", "1.jpg"), ("2.jpg", "3.jpg"), ("4.jpg",),
    ]  # fmt: skip
    again = staff.run(job, Forgotten)
    assert again.photos == ("0.jpg", "1.jpg")
    assert {each.forgotten for each in (*pages, again)} == {5}
    assert [each.metrics["forgotten"] for each in pages] == [5, 0, 0]
    receipt = json.loads(staff.store.read(Location.parse(again.receipt.uri)))
    assert (receipt["vectors"], {each.receipt for each in pages}) == (5, {again.receipt})
