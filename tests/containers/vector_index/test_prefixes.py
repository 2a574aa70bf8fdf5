"""Everything below a prefix is enrolled, in as many calls as it takes, and accounted for."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from containers.vector_index.enrolling import prefixes
from pipeline.artifacts import Location
from pipeline.contracts.collection_runs import (
    CollectionsListed,
    EnrollPrefix,
    Enrolments,
    ListCollections,
    PrefixEnrolled,
)
from pipeline.errors import CollectionMissing
from tests.containers.vector_index.desk import COLLECTIONS, OUTPUT, Desk, vector


def enroll(desk: Desk, prefix: str = "", **fields: Any) -> PrefixEnrolled:
    asked = {
        "collection": "staff", "output_bucket": OUTPUT, "prefix": prefix, "so_far": Enrolments(),
    }  # fmt: skip
    return desk.run(desk.job(EnrollPrefix, **(asked | fields)), PrefixEnrolled)


def test_records_below_the_prefix_are_enrolled_and_no_other_keys(staff: Desk) -> None:
    for number, key in enumerate(["team/ada.jpg", "team/sub/bob.jpg", "other/eve.jpg"]):
        staff.record(key, [vector(number)])
    staff.record("team/nobody.jpg")

    done = enroll(staff, "team/", person_from="name")

    assert done.counts == Enrolments(enrolled=2, known=0, skipped={"no clear face": 1})
    assert (done.vectors, done.after) == (2, None)
    assert [(key, person) for key, _, person in staff.alive()] == [
        ("team/ada.jpg", "ada"),
        ("team/sub/bob.jpg", "bob"),
    ]


def test_a_photo_whose_folder_is_no_id_does_not_keep_the_others_out(staff: Desk) -> None:
    staff.record("team/ada/1.jpg", [vector(1)])
    staff.record(f"team/{'x' * 129}/1.jpg", [vector(2)])

    done = enroll(staff, "team/", person_from="folder")

    assert done.counts == Enrolments(enrolled=1, known=0, skipped={"no id": 1})
    assert [person for _, _, person in staff.alive()] == ["ada"]


def test_batches_are_enrolled_one_after_the_other(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefixes, "MOST_RECORDS", 2)
    for number in range(5):
        staff.record(f"{number}.jpg", [vector(number)])

    done = enroll(staff)

    assert (done.counts.enrolled, done.vectors, done.segments) == (5, 5, 3)


def test_a_call_that_has_no_time_left_says_where_the_next_one_goes_on(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefixes, "MOST_RECORDS", 2)
    for number in range(5):
        staff.record(f"{number}.jpg", [vector(number)])
    hurried = Desk(staff.store, replace(staff.context, ends_at=time.monotonic()))

    calls = [enroll(hurried)]
    while (after := calls[-1].after) is not None:
        calls.append(enroll(hurried, after=after, so_far=calls[-1].counts))

    assert len(calls) > 2
    assert calls[-1].counts.enrolled == 5
    assert len(staff.alive()) == 5


def test_a_repeated_call_adds_nothing(staff: Desk) -> None:
    staff.record("ada.jpg", [vector(1)])
    enroll(staff)

    assert enroll(staff).counts == Enrolments(known=1, skipped={"enrolled before": 1})


def test_a_batch_of_another_models_vectors_is_passed_over(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefixes, "MOST_RECORDS", 1)
    staff.record("ada.jpg", [vector(1)], model="another")
    staff.record("bob.jpg", [vector(2)])

    assert enroll(staff).counts == Enrolments(enrolled=1, skipped={"other vectors": 1})


def test_a_collection_that_is_missing_is_an_error_also_below_an_empty_prefix(desk: Desk) -> None:
    with pytest.raises(CollectionMissing):
        enroll(desk, "nothing/")


def test_collections_are_listed_by_name_even_a_broken_one(staff: Desk) -> None:
    staff.create("guests")
    broken = Location(COLLECTIONS, "collections/guests/head.json")
    staff.store.write(broken, b"{", media_type="application/json")

    listed = staff.run(staff.job(ListCollections), CollectionsListed)

    assert listed.names == ("guests", "staff")
