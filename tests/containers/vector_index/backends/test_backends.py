"""A collection is the same to people wherever its rows are: in segments or in S3 Vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from safetensors.numpy import load

from containers.vector_index.burying import bury
from containers.vector_index.stored import places
from containers.vector_index.stored.digests import person_digest
from containers.vector_index.stored.tombstones import Rule
from pipeline.artifacts import Location
from pipeline.errors import CollectionMissing, EmbeddingMismatch
from tests.containers.vector_index.backends.desk import Desk, Sitter
from tests.containers.vector_index.faces import people

DIMENSION: Final = 32
PEOPLE: Final = 6
EACH: Final = 4
FACES: Final = people(PEOPLE, EACH, DIMENSION)
Wait = Callable[[float], None]

pytestmark = pytest.mark.parametrize("desk", ["segments", "s3-vectors"], indirect=True)


def sitter(number: int) -> Sitter:
    person = number // EACH
    return Sitter(FACES[number], f"p{person}/{number:02}.jpg", f"p{person}")


SITTERS: Final = [sitter(number) for number in range(len(FACES))]
KEYS: Final = [each.key for each in SITTERS]


def like(number: int) -> list[str]:
    """Return all keys by the similarity of their faces to this one."""
    return [KEYS[place] for place in np.argsort(-(FACES @ FACES[number]), kind="stable")]


@pytest.fixture
def staff(desk: Desk) -> Desk:
    desk.create()
    desk.enroll(SITTERS)
    return desk


def test_an_empty_collection_finds_nothing(desk: Desk) -> None:
    desk.create()

    answer = desk.search(FACES[:2])

    assert [each.matches for each in answer.queries] == [(), ()]
    assert answer.searched == 0
    assert desk.describe().vectors == 0
    assert desk.export("p0").count == 0
    assert desk.compact(force=True).erased == 0


def test_what_was_enrolled_is_found_the_most_similar_first(staff: Desk) -> None:
    answer = staff.search(FACES[[0, 9]], threshold=-1.0, k=100)

    assert answer.searched == len(FACES)
    for query, number in zip(answer.queries, (0, 9), strict=True):
        assert [each.key for each in query.matches] == like(number)
        cosines = np.sort(FACES @ FACES[number])[::-1]
        assert [each.similarity for each in query.matches] == pytest.approx(cosines, abs=2e-3)
    first = answer.queries[0].matches[0]
    assert (first.person, first.bucket) == ("p0", staff.bucket("photos"))
    assert first.version_id is not None
    assert first.enrolled_at is not None


def test_enrolling_again_adds_nothing(staff: Desk) -> None:
    again = staff.enroll(SITTERS[:5])

    assert (again.enrolled, again.known, again.vectors) == (0, 5, len(FACES))
    assert staff.found(FACES[0]) == like(0)


def test_enrolments_add_up(desk: Desk) -> None:
    desk.create()
    first, second = desk.enroll(SITTERS[:5]), desk.enroll(SITTERS[3:])

    assert (first.enrolled, first.known, first.vectors) == (5, 0, 5)
    assert (second.enrolled, second.known, second.vectors) == (len(FACES) - 5, 2, len(FACES))
    assert desk.found(FACES[0]) == like(0)


def test_a_threshold_comes_after_the_nearest(staff: Desk) -> None:
    (query,) = staff.search([FACES[0]], threshold=0.5, k=2).queries

    assert [each.key for each in query.matches] == like(0)[:2]
    (query,) = staff.search([FACES[0]], k=100).queries
    cosines = FACES @ FACES[0]
    assert {each.key for each in query.matches} == {
        key for key, cosine in zip(KEYS, cosines, strict=True) if cosine >= 0.6
    }


def test_a_person_is_looked_for_alone(staff: Desk) -> None:
    assert staff.found(FACES[0], person="p3") == [key for key in like(0) if key.startswith("p3/")]
    assert staff.found(FACES[0], person="nobody") == []
    assert (
        staff.found(FACES[0], person="p3", k=2)
        == [key for key in like(0) if key.startswith("p3/")][:2]
    )


def test_a_forgotten_person_is_not_in_the_next_search_and_others_take_their_places(
    staff: Desk,
) -> None:
    forgotten = staff.forget(person="p0")

    assert forgotten.forgotten == EACH
    assert set(forgotten.photos) == set(KEYS[:EACH])
    assert staff.found(FACES[0], k=6) == [key for key in like(0) if not key.startswith("p0/")][:6]
    assert staff.found(FACES[0], person="p0") == []
    seen = staff.describe()
    assert (seen.vectors, seen.forgotten) == (len(FACES) - EACH, EACH)
    assert staff.forget(person="p0").forgotten in {0, EACH}


def test_a_forgotten_photo_is_not_in_the_next_search(staff: Desk) -> None:
    assert staff.forget(photo=KEYS[5]).forgotten == 1
    assert staff.found(FACES[5]) == [key for key in like(5) if key != KEYS[5]]


def test_many_who_were_forgotten_leave_as_many_matches_as_there_are(desk: Desk) -> None:
    vectors = people(120, 1, DIMENSION, seed=3)
    sitters = [Sitter(each, f"{n:03}.jpg", f"p{n}") for n, each in enumerate(vectors)]
    desk.create()
    desk.enroll(sitters)
    order = np.argsort(-(vectors @ vectors[0]), kind="stable")
    digests = [person_digest(desk.head.id, f"p{number}") for number in order[:60]]
    at = places.now()
    bury(
        desk.places,
        desk.name,
        [Rule(kind="person", digest=each.hex(), at=at) for each in digests],
        killed=60,
    )

    living = {f"{number:03}.jpg" for number in order[60:]}
    assert set(desk.found(vectors[0], k=100)) == living
    some = desk.found(vectors[0], k=50)
    assert len(some) == 50
    assert set(some) < living


def test_who_was_forgotten_may_come_back_but_not_by_what_was_asked_for_before(
    staff: Desk,
) -> None:
    before = places.moment_of(places.now())
    staff.forget(person="p0")

    late = staff.enroll([Sitter(FACES[0], "p0/late.jpg", "p0")], asked_at=before)
    new = staff.enroll(SITTERS[:2])

    assert late.enrolled == 0
    assert new.enrolled == 2
    assert set(staff.found(FACES[0], person="p0")) == set(KEYS[:2])
    assert staff.compact(force=True).vectors == len(FACES) - EACH + 2
    assert set(staff.found(FACES[0], person="p0")) == set(KEYS[:2])


def test_what_has_expired_is_not_found_and_is_erased(desk: Desk, wait: Wait) -> None:
    desk.create(retention_days=20)
    desk.enroll(SITTERS[:4])
    wait(10)
    desk.enroll(SITTERS[4:])
    wait(25)

    assert desk.found(FACES[0]) == [key for key in like(0) if key not in KEYS[:4]]
    assert desk.enroll(SITTERS[:1]).enrolled == 1
    assert desk.compact(force=True).erased >= 3
    assert desk.describe().vectors == len(FACES) - 3
    wait(32)
    assert desk.found(FACES[0]) == KEYS[:1]
    wait(60)
    assert desk.found(FACES[0]) == []
    assert desk.compact().vectors == 0


def test_a_forgotten_person_is_erased_by_the_deadline_without_force(
    staff: Desk, wait: Wait
) -> None:
    staff.forget(photo=KEYS[0])

    assert staff.compact().erased == 0
    wait(6)
    assert staff.compact().erased == 1
    seen = staff.describe()
    assert (seen.vectors, seen.forgotten) == (len(FACES) - 1, 0)


def test_compaction_with_force_erases_all_that_is_dead(staff: Desk) -> None:
    staff.forget(person="p1")
    compacted = staff.compact(force=True)

    assert (compacted.erased, compacted.vectors) == (EACH, len(FACES) - EACH)
    assert staff.found(FACES[0]) == [key for key in like(0) if not key.startswith("p1/")]
    facts = str(staff.stored_keys())
    assert "p1/" not in facts
    assert staff.compact(force=True).erased == 0


def test_rules_are_dropped_once_nothing_can_need_them(staff: Desk, wait: Wait) -> None:
    staff.forget(person="p1")
    wait(17)
    staff.compact()

    assert staff.head.tombstones == ()
    assert staff.found(FACES[4]) == [key for key in like(4) if not key.startswith("p1/")]


def test_an_export_has_all_of_a_person(staff: Desk) -> None:
    staff.forget(photo=KEYS[8])
    exported = staff.export("p2")

    assert exported.count == EACH - 1
    assert exported.vectors is not None
    content = staff.store.read(Location.parse(exported.vectors.uri))
    vectors = load(content)["embeddings"]
    order = np.lexsort(vectors.T)
    wanted = FACES[9:12]
    assert vectors[order] == pytest.approx(wanted[np.lexsort(wanted.T)], abs=1e-3)
    assert staff.export("nobody").count == 0


def test_vectors_of_other_weights_or_another_size_are_refused(staff: Desk) -> None:
    wide = np.concatenate([FACES[0], np.zeros(1, np.float32)])
    with pytest.raises(EmbeddingMismatch):
        staff.enroll([Sitter(wide, "wide.jpg")])
    with pytest.raises(EmbeddingMismatch):
        staff.search([wide])
    staff.weights = "0" * 64
    with pytest.raises(EmbeddingMismatch):
        staff.enroll([Sitter(FACES[0], "other.jpg")])
    staff.weights = "1" * 64
    with pytest.raises(EmbeddingMismatch):
        staff.search([FACES[0]])

    assert len(staff.stored_keys()) in {0, len(FACES)}


def test_a_deleted_collection_leaves_no_vector_and_its_name_may_be_used_again(
    staff: Desk,
) -> None:
    staff.delete()

    with pytest.raises(CollectionMissing):
        staff.search([FACES[0]])
    assert staff.objects("collections/") == []
    assert staff.stored_keys() == {}
    staff.create()
    assert staff.found(FACES[0]) == []
    assert staff.enroll(SITTERS[:2]).enrolled == 2
    assert len(staff.found(FACES[0])) == 2


def test_a_fact_may_be_long(desk: Desk) -> None:
    key = "é" * 500 + ".jpg"
    desk.create()
    desk.enroll([Sitter(FACES[0], key, "\N{GRINNING FACE}" * 128)])

    assert desk.found(FACES[0], person="\N{GRINNING FACE}" * 128) == [key]
