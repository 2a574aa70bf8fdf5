"""A search by a record: in a collection, or among other records, of which nothing stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.artifacts import Location
from pipeline.contracts.collection_searches import (
    ListSearches,
    Match,
    Search,
    Searched,
    SearchesListed,
    SearchVectors,
)
from pipeline.errors import EmbeddingMismatch, InvalidOptions
from tests.containers.vector_index.desk import COLLECTIONS, INGEST, OUTPUT, Desk, vector


def near(number: int, other: int, share: float = 0.3) -> npt.NDArray[np.float32]:
    """A unit vector that is like one number's, and a little like another's."""
    mixed = vector(number) + share * vector(other)
    unit: npt.NDArray[np.float32] = (mixed / np.linalg.norm(mixed)).astype(np.float32)
    return unit


def search(desk: Desk, record: str, **options: Any) -> Searched:
    face = options.pop("face", None)
    said = {"scope": "job", "output_bucket": OUTPUT, "query": {"record": record, "face": face}}
    if "collection" in options:
        said["scope"] = "collection"
    return desk.run(desk.job(SearchVectors, **said | options), Searched)


def told(matches: tuple[Match, ...]) -> list[tuple[str, int]]:
    return [(each.key, each.subject) for each in matches]


def test_the_faces_of_a_photo_are_found_in_a_collection(staff: Desk) -> None:
    staff.enroll(staff.record("anna/1.jpg", [vector(1)]), person="anna")
    staff.enroll(staff.record("ben/1.jpg", [vector(2)]), person="ben")
    asked = staff.record("new.jpg", [near(2, 9), near(1, 9)])

    searched = search(staff, asked, collection="staff", threshold=0.8)

    assert [told(each.matches) for each in searched.queries] == [
        [("ben/1.jpg", 0)],
        [("anna/1.jpg", 0)],
    ]
    assert [each.subject for each in searched.queries] == [0, 1]
    assert searched.queries[1].box is not None
    assert searched.queries[1].box.x == 10
    (match,) = searched.queries[1].matches
    assert (match.person, match.bucket) == ("anna", INGEST)
    assert match.box is not None
    assert match.similarity == pytest.approx(float(vector(1) @ near(1, 9)), abs=1e-3)


def test_who_may_only_search_looks_for_the_same_person_and_not_through_all(desk: Desk) -> None:
    ada = "ad" * 16
    desk.create("staff", allowed=(ada,))
    desk.enroll(desk.record("anna/1.jpg", [vector(1)]), person="anna")
    asked = desk.record("new.jpg", [vector(1)])
    through = {"collection": "staff", "threshold": 0.49}

    with pytest.raises(InvalidOptions, match=r"is answered from 0\.5 on"):
        search(desk, asked, searcher=ada, **through)

    assert search(desk, asked, searcher=ada, collection="staff", threshold=0.5).threshold == 0.5
    assert search(desk, asked, **through).threshold == 0.49  # an operator's


def test_one_face_of_the_photo_is_looked_for(staff: Desk) -> None:
    staff.enroll(staff.record("anna/1.jpg", [vector(1)]))
    asked = staff.record("new.jpg", [vector(2), vector(1)])

    (query,) = search(staff, asked, collection="staff", face=1).queries

    assert query.subject == 1
    assert told(query.matches) == [("anna/1.jpg", 0)]


def test_a_face_is_chosen_by_its_index_not_by_the_row_of_its_vector(staff: Desk) -> None:
    """The first face of the photo was too small for a vector."""
    staff.enroll(staff.record("anna/1.jpg", [vector(1)]))
    box = {"x": 1.0, "y": 2.0, "width": 90.0, "height": 90.0}
    faces = [
        {"face": face, "detection": {"box": box, "score": 0.9}, "row": row, "rejected": None}
        for face, row in ((1, 0), (2, 1))
    ]
    asked = staff.record("new.jpg", [vector(1), vector(2)], document={"faces": faces})

    (query,) = search(staff, asked, collection="staff", face=1).queries

    assert query.subject == 1
    assert told(query.matches) == [("anna/1.jpg", 0)]


def test_a_face_without_a_vector_is_named_with_those_that_have_one(staff: Desk) -> None:
    asked = staff.record("new.jpg", [vector(1), vector(2)])

    with pytest.raises(
        InvalidOptions,
        match=r"face 7 of new_faces\.record\.json has no vector; faces with one: 0, 1",
    ):
        search(staff, asked, collection="staff", face=7)


@pytest.mark.parametrize(
    ("named", "words"),
    [("new_bg_removed.json", "no output record"), ("absent_faces.record.json", "no output record")],
    ids=["another record", "no object"],
)
def test_what_is_no_record_of_faces_is_refused(staff: Desk, named: str, words: str) -> None:
    with pytest.raises(InvalidOptions, match=words):
        search(staff, named, collection="staff")


def test_a_photo_without_vectors_cannot_be_searched_for(staff: Desk) -> None:
    asked = staff.record("new.jpg", [vector(1)], record={"files": []})

    with pytest.raises(InvalidOptions, match="run `faces` with the option embed"):
        search(staff, asked, collection="staff")


def test_a_photo_without_a_clear_face_is_not_sent_back_to_be_embedded(staff: Desk) -> None:
    asked = staff.record("new.jpg")

    with pytest.raises(InvalidOptions, match=r"no face .* is large and clear enough") as refused:
        search(staff, asked, collection="staff")
    assert "embed" not in str(refused.value)


def test_vectors_of_other_weights_are_refused(staff: Desk) -> None:
    staff.enroll(staff.record("anna/1.jpg", [vector(1)]))
    asked = staff.record("new.jpg", [vector(1)], weights="0" * 64)

    with pytest.raises(EmbeddingMismatch, match="the collection staff has 8 of"):
        search(staff, asked, collection="staff")


def test_records_are_searched_without_a_collection(desk: Desk) -> None:
    among = [
        desk.record("a.jpg", [vector(1), vector(2)]),
        desk.record("b.jpg", [near(1, 3)]),
        desk.record("c.jpg", [vector(4)]),
    ]
    asked = desk.record("new.jpg", [vector(1)])

    searched = search(desk, asked, among=among, threshold=0.8)

    (query,) = searched.queries
    assert told(query.matches) == [("a.jpg", 0), ("b.jpg", 0)]
    assert [each.similarity for each in query.matches] == pytest.approx(
        [1, float(vector(1) @ near(1, 3))], abs=1e-6
    )
    assert {(each.person, each.enrolled_at) for each in query.matches} == {(None, None)}
    assert (searched.collection, searched.searched) == (None, 4)


def test_of_records_only_the_audit_record_stays(desk: Desk) -> None:
    among = [desk.record("a.jpg", [vector(1)])]

    searched = search(desk, among[0], among=among)

    (key,) = desk.objects()
    record = Search.model_validate_json(desk.store.read(Location(COLLECTIONS, key)))
    assert key.startswith("searches/_job/")
    assert (record.search, record.collection, record.scope) == (searched.search, None, "job")


def test_by_default_records_are_compared_with_what_their_model_calls_the_same(desk: Desk) -> None:
    among = [desk.record("a.jpg", [vector(1)]), desk.record("b.jpg", [-vector(1)])]

    searched = search(desk, among[0], among=among)

    assert searched.threshold == 0.5
    assert told(searched.queries[0].matches) == [("a.jpg", 0)]


def test_the_k_nearest_of_records_are_cut_before_the_threshold(desk: Desk) -> None:
    among = [desk.record(f"{number}.jpg", [near(1, number)]) for number in range(2, 7)]

    (query,) = search(desk, desk.record("new.jpg", [vector(1)]), among=among, k=2).queries

    assert len(query.matches) == 2


def test_records_without_faces_are_passed_over(desk: Desk) -> None:
    among = [
        desk.record("none.jpg", [vector(9)], record={"files": []}),
        desk.record("blurred.jpg"),
        desk.record("a.jpg", [vector(1)]),
    ]

    searched = search(desk, desk.record("new.jpg", [vector(1)]), among=among)

    assert searched.searched == 1
    assert told(searched.queries[0].matches) == [("a.jpg", 0)]


def test_records_of_which_none_has_a_face_have_no_matches(desk: Desk) -> None:
    among = [desk.record("none.jpg", [vector(9)], record={"files": []})]

    searched = search(desk, desk.record("new.jpg", [vector(1)]), among=among)

    assert (searched.searched, searched.queries[0].matches) == (0, ())


def test_a_missing_record_among_others_is_refused(desk: Desk) -> None:
    among = [desk.record("a.jpg", [vector(1)]), "absent_faces.record.json"]

    with pytest.raises(InvalidOptions, match=r"absent_faces\.record\.json is no output record"):
        search(desk, among[0], among=among)


def test_records_of_another_model_are_refused(desk: Desk) -> None:
    among = [desk.record("a.jpg", [vector(1)], weights="0" * 64)]

    with pytest.raises(EmbeddingMismatch, match=r"a_faces\.record\.json has 8 of 000000000000"):
        search(desk, desk.record("new.jpg", [vector(1)]), among=among)


def test_records_name_no_person(desk: Desk) -> None:
    among = [desk.record("a.jpg", [vector(1)])]

    with pytest.raises(InvalidOptions, match="records name no person"):
        search(desk, among[0], among=among, person="anna")


def test_an_audit_record_is_listed_as_it_was_written(staff: Desk) -> None:
    since = staff.clock
    searched = search(staff, staff.record("new.jpg", [vector(1)]), collection="staff")

    job = staff.job(ListSearches, collection="staff", since=since)

    listed = staff.run(job, SearchesListed).searches
    assert [each.search for each in listed] == [searched.search]
