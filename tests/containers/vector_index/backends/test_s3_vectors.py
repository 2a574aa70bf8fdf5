"""In S3 Vectors, rows may be there that no head has, and somebody else may change them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from containers.vector_index import compacting
from containers.vector_index.backends.s3_vectors import S3VectorsBackend
from pipeline.aws.s3_vectors import S3Vectors
from pipeline.errors import EmbeddingMismatch, SegmentMismatch, StoreUnavailable
from tests.containers.vector_index.backends.desk import Desk, Sitter
from tests.containers.vector_index.faces import people

FACES: Final = people(5, 2, 16, seed=11)
SITTERS: Final = [Sitter(face, f"{n:02}.jpg", f"p{n // 2}") for n, face in enumerate(FACES)]
KEYS: Final = {each.key for each in SITTERS}
Wait = Callable[[float], None]
Once = Callable[[Any, str, Callable[[], object]], None]

pytestmark = pytest.mark.parametrize("desk", ["s3-vectors"], indirect=True)


@pytest.fixture
def staff(desk: Desk) -> Desk:
    desk.create()
    desk.enroll(SITTERS)
    return desk


def index(desk: Desk) -> dict[str, str]:
    bucket = desk.bucket("vectors")
    (found,) = desk.vectors.list_indexes(vectorBucketName=bucket)["indexes"]
    return {"indexArn": found["indexArn"]}


def rewrite(desk: Desk, change: Callable[[dict[str, Any]], object]) -> None:
    """Change one vector of an index, as somebody else could."""
    vectors = desk.vectors.list_vectors(**index(desk), returnData=True, returnMetadata=True)
    first = min(vectors["vectors"], key=lambda each: str(each["key"]))
    change(first)
    desk.vectors.put_vectors(**index(desk), vectors=[first])


def _without_digest(vector: dict[str, Any]) -> None:
    del vector["metadata"]["person"]


def _with(**metadata: Any) -> Callable[[dict[str, Any]], None]:
    return lambda vector: vector["metadata"].update(metadata)


def _of_another(vector: dict[str, Any]) -> None:
    fact = json.loads(vector["metadata"]["fact"])
    vector["metadata"]["fact"] = json.dumps(fact | {"person": "somebody else"})


@pytest.mark.parametrize(
    "change",
    [
        _without_digest,
        _of_another,
        _with(photo="zz"),
        _with(object="ab" * 15),
        _with(asked_at="yesterday"),
        _with(asked_at=-1),
        _with(fact="{}"),
        _with(fact="no JSON"),
    ],
)
def test_metadata_that_somebody_changed_are_not_answered(
    staff: Desk, change: Callable[[dict[str, Any]], object]
) -> None:
    rewrite(staff, change)

    with pytest.raises(SegmentMismatch):
        staff.found(FACES[0])


def test_a_vector_that_somebody_changed_is_not_exported(staff: Desk) -> None:
    rewrite(staff, lambda vector: vector["data"].update(float32=[2.0] * 16))

    (person,) = {
        each.person
        for each in SITTERS
        if each.key == json.loads(min(staff.stored_keys().items())[1]["fact"])["key"]
    }
    with pytest.raises(SegmentMismatch, match="length 1"):
        staff.export(str(person))


def test_an_index_that_somebody_deleted_is_missed(staff: Desk) -> None:
    staff.vectors.delete_index(**index(staff))

    with pytest.raises(SegmentMismatch):
        staff.found(FACES[0])
    with pytest.raises(SegmentMismatch):
        staff.enroll([Sitter(people(1, 1, 16, seed=12)[0], "new.jpg")])


def test_an_enrolment_that_is_killed_before_its_head_is_repeated(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.create()
    with monkeypatch.context() as patch:
        patch.setattr(type(desk.store), "write_if_unchanged", _killed)
        with pytest.raises(StoreUnavailable):
            desk.enroll(SITTERS)
    assert len(desk.stored_keys()) == len(KEYS)
    assert desk.found(FACES[0]) == []

    desk.enroll(SITTERS)

    assert set(desk.found(FACES[0])) == KEYS
    assert desk.compact(force=True).vectors == len(KEYS)


def _killed(*_: object, **__: object) -> None:
    raise StoreUnavailable("the function was killed")


def test_of_two_first_models_the_later_leaves_nothing(desk: Desk, once: Once) -> None:
    desk.create()
    weights = desk.weights

    def be_first() -> None:
        desk.weights = weights
        desk.enroll(SITTERS[:4])

    desk.weights = "0" * 64
    once(S3VectorsBackend, "add", be_first)

    with pytest.raises(EmbeddingMismatch):
        desk.enroll(SITTERS[4:])

    assert set(desk.stored_photos()) == {each.key for each in SITTERS[:4]}
    assert set(desk.found(FACES[0])) == {each.key for each in SITTERS[:4]}


def test_vectors_of_a_lost_race_are_not_found_and_erased(
    desk: Desk, once: Once, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.create()
    with monkeypatch.context() as patch:  # killed before it could clean up
        patch.setattr(S3VectorsBackend, "discard", lambda *_: None)
        weights, desk.weights = desk.weights, "0" * 64

        def be_first() -> None:
            desk.weights = weights
            desk.enroll(SITTERS[:4])

        once(S3VectorsBackend, "add", be_first)
        with pytest.raises(EmbeddingMismatch):
            desk.enroll(SITTERS[4:])

    assert len(desk.stored_keys()) == len(KEYS)
    assert set(desk.found(FACES[0])) == {each.key for each in SITTERS[:4]}
    assert desk.compact(force=True).vectors == 4
    assert len(desk.stored_keys()) == 4


def test_what_a_filter_lets_through_is_checked(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff.forget(person="p1")
    query = S3Vectors.query

    def unfiltered(*arguments: Any, where: object, **options: Any) -> Any:  # noqa: ARG001
        return query(*arguments, **options)

    monkeypatch.setattr(S3Vectors, "query", unfiltered)

    assert set(staff.found(FACES[0])) == KEYS - {"02.jpg", "03.jpg"}


def test_who_is_forgotten_while_being_enrolled_stays_forgotten_and_is_erased(
    desk: Desk, once: Once, wait: Wait
) -> None:
    desk.create()
    desk.enroll(SITTERS[:2])
    once(S3VectorsBackend, "known", lambda: desk.forget(person="p1"))

    asked = desk.enroll(SITTERS[2:6])

    assert asked.enrolled == 2
    assert set(desk.found(FACES[0])) == {"00.jpg", "01.jpg", "04.jpg", "05.jpg"}
    wait(6)
    desk.compact()
    assert set(desk.stored_photos()) == {"00.jpg", "01.jpg", "04.jpg", "05.jpg"}


def test_a_batch_that_is_forgotten_while_it_is_stored_is_erased_in_time(
    desk: Desk, once: Once, wait: Wait
) -> None:
    desk.create()
    desk.enroll(SITTERS[:2])
    once(S3Vectors, "put", lambda: desk.forget(person="p1"))

    assert desk.enroll(SITTERS[2:4]).enrolled == 0

    wait(6)
    desk.compact()
    assert set(desk.stored_photos()) == {"00.jpg", "01.jpg"}


def test_a_first_batch_that_is_forgotten_while_it_is_stored_is_erased_in_time(
    desk: Desk, once: Once, wait: Wait
) -> None:
    desk.create()
    once(S3Vectors, "put", lambda: desk.forget(person="p0"))

    assert desk.enroll(SITTERS[:2]).enrolled == 0

    wait(6)
    desk.compact()
    assert desk.stored_photos() == []


def test_a_killed_first_enrolment_of_somebody_forgotten_is_erased_in_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, wait: Wait
) -> None:
    desk.create()
    with monkeypatch.context() as patch:
        patch.setattr(type(desk.store), "write_if_unchanged", _killed)
        with pytest.raises(StoreUnavailable):
            desk.enroll(SITTERS[:4])
    desk.forget(person="p0")

    wait(6)
    desk.compact()

    assert set(desk.stored_photos()) == {"02.jpg", "03.jpg"}  # they may be published yet


def test_a_compaction_that_is_killed_after_it_erased_still_leaves_a_receipt(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff.forget(person="p0")
    with monkeypatch.context() as patch:
        patch.setattr(type(staff.store), "write_if_unchanged", _killed)
        with pytest.raises(StoreUnavailable):
            staff.compact(force=True)
    assert "00.jpg" not in staff.stored_photos()

    assert staff.compact(force=True).erased == 2

    assert [key for key in staff.objects("receipts/") if key.endswith("-erased.json")]


def test_a_receipt_of_what_was_erased_is_there_before_the_head_forgets_it(
    staff: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff.forget(person="p0")
    with monkeypatch.context() as patch:
        patch.setattr(compacting, "write_receipt", _killed)
        with pytest.raises(StoreUnavailable):
            staff.compact(force=True)

    assert staff.compact(force=True).erased == 2


def test_what_was_stored_too_late_is_erased_before_its_rule_is_dropped(
    staff: Desk, wait: Wait
) -> None:
    (late,) = [
        each
        for each in staff.vectors.list_vectors(
            **index(staff), returnData=True, returnMetadata=True
        )["vectors"]
        if '"key":"00.jpg"' in each["metadata"]["fact"]
    ]
    staff.forget(person="p0")
    staff.compact(force=True)
    staff.vectors.put_vectors(**index(staff), vectors=[late])  # its task was slow

    assert "00.jpg" not in staff.found(FACES[0])
    wait(17)
    staff.compact()
    assert staff.head.tombstones == ()
    assert "00.jpg" not in staff.found(FACES[0])
    assert "00.jpg" not in staff.stored_photos()


def test_compaction_reads_vectors_only_if_something_is_due(
    staff: Desk, monkeypatch: pytest.MonkeyPatch, wait: Wait
) -> None:
    sweeps = []
    sweep = S3VectorsBackend.sweep

    def counted(*arguments: Any, **options: Any) -> Any:
        sweeps.append(1)
        return sweep(*arguments, **options)

    monkeypatch.setattr(S3VectorsBackend, "sweep", counted)
    staff.compact()
    staff.forget(photo="00.jpg")
    staff.compact()
    assert sweeps == []
    for days, count in ((6, 1), (7, 1), (14, 1), (16, 2), (17, 2), (366, 2), (372, 3)):
        wait(days)
        staff.compact()
        assert (days, len(sweeps)) == (days, count)
