"""Vectors are enrolled once, with what they stand for; what is not enrolled has a reason."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from containers.vector_index.stored.digests import object_digest
from pipeline.artifacts import AccessDenied, Location
from pipeline.contracts.collection_enrolments import (
    EnrollVectors,
    Entry,
    SkippedRecord,
    VectorsEnrolled,
    VectorsFile,
)
from pipeline.errors import (
    CollectionMissing,
    EmbeddingMismatch,
    InvalidOptions,
    SourceForbidden,
    SourceMissing,
)
from pipeline.workbench import TaskContext, Workbench
from tests.containers.vector_index.desk import (
    DIMENSION,
    INGEST,
    MODEL,
    OUTPUT,
    WEIGHTS,
    Desk,
    vector,
)


def test_the_faces_of_records_are_enrolled_as_one_segment(staff: Desk) -> None:
    records = [
        staff.record("people/anna/1.jpg", [vector(1), vector(2)]),
        staff.record("people/ben/1.jpg", [vector(3)]),
    ]

    result = staff.enroll(*records, person_from="folder")

    assert (result.enrolled, result.known, result.skipped) == (3, 0, ())
    assert (result.vectors, result.segments, result.compact) == (3, 1, False)
    assert staff.alive() == [
        ("people/anna/1.jpg", 0, "anna"),
        ("people/anna/1.jpg", 1, "anna"),
        ("people/ben/1.jpg", 0, "ben"),
    ]


def test_the_first_enrolment_fixes_weights_dimension_and_threshold(staff: Desk) -> None:
    staff.enroll(staff.record("a.jpg", [vector(1)]))
    head = staff.head()

    assert (head.weights_sha256, head.dimension, head.same_above) == (WEIGHTS, DIMENSION, 0.5)


def test_enrolling_twice_adds_nothing(staff: Desk) -> None:
    record = staff.record("a.jpg", [vector(1), vector(2)])
    staff.enroll(record)
    before = staff.objects("collections/")

    result = staff.enroll(record)

    assert (result.enrolled, result.known, result.vectors) == (0, 2, 2)
    assert result.skipped == (SkippedRecord(record=record, why="enrolled before"),)
    assert staff.objects("collections/") == before


def test_only_new_faces_of_a_record_are_added(staff: Desk) -> None:
    record = staff.record("a.jpg", [vector(1), vector(2)])
    first = staff.enroll(record, faces=(1,))
    second = staff.enroll(record)

    assert (first.enrolled, first.known) == (1, 0)
    assert (second.enrolled, second.known, second.skipped) == (1, 1, ())
    assert staff.alive() == [("a.jpg", 0, None), ("a.jpg", 1, None)]


def test_a_record_named_twice_counts_once(staff: Desk) -> None:
    record = staff.record("a.jpg", [vector(1)])

    assert staff.enroll(record, record).enrolled == 1


@pytest.mark.parametrize(
    ("key", "person_from", "person"),
    [
        ("people/anna/1.jpg", "folder", "anna"),
        ("anna/1.jpg", "folder", "anna"),
        ("1.jpg", "folder", None),
        ("people/anna.jpg", "name", "anna"),
        ("people/anna.large.jpg", "name", "anna"),
    ],
)
def test_a_person_is_named_after_the_photos_folder_or_file(
    staff: Desk, key: str, person_from: str, person: str | None
) -> None:
    staff.enroll(staff.record(key, [vector(1)]), person_from=person_from)

    assert staff.alive() == [(key, 0, person)]


@pytest.mark.parametrize(
    "folder",
    ["x" * 129, "a\x07b", "a\x9bb", "\u202enna", "a\u2028b"],
    ids=["long", "bell", "sequence", "direction", "line"],
)
def test_a_photo_whose_folder_is_no_id_is_skipped(staff: Desk, folder: str) -> None:
    record = staff.record(f"{folder}/1.jpg", [vector(1)])

    done = staff.enroll(record, person_from="folder")

    assert done.skipped == (SkippedRecord(record=record, why="no id"),)
    assert staff.alive() == []


def test_a_person_is_named_in_one_way(staff: Desk) -> None:
    record = staff.record("anna/1.jpg", [vector(1)])

    with pytest.raises(InvalidOptions, match="not both"):
        staff.enroll(record, person="anna", person_from="folder")


def damaged(desk: Desk, key: str, kind: str) -> str:
    record = desk.record(key, [vector(7)])
    stem = key.rpartition(".")[0]
    place = Location(OUTPUT, f"{stem}_faces.embeddings.{kind}")
    desk.store.write(place, desk.store.read(place) + b" ", media_type="")
    return record


def lost(desk: Desk, key: str) -> str:
    record = desk.record(key, [vector(7)])
    desk.store.erase(Location(OUTPUT, f"{key.rpartition('.')[0]}_faces.embeddings.safetensors"))
    return record


def without_photo(desk: Desk, key: str) -> str:
    record = desk.record(key, [vector(7)])
    desk.store.erase(Location(INGEST, key))
    return record


def replaced_photo(desk: Desk, key: str) -> str:
    record = desk.record(key, [vector(7)])
    desk.photo(key, b"another photo")
    return record


SKIPPED: dict[str, tuple[Any, str]] = {
    "no object": (lambda _, key: f"{key[:-4]}_faces.record.json", "no record"),
    "another kind of key": (lambda _, key: f"{key[:-4]}_faces.json", "no record"),
    "another product": (
        lambda desk, key: desk.record(key, [vector(7)], record={"product": "cutout"}),
        "no record",
    ),
    "no source": (
        lambda desk, key: desk.record(key, [vector(7)], record={"source": None}),
        "no record",
    ),
    "no face": (lambda desk, key: desk.record(key), "no clear face"),
    "not embedded": (
        lambda desk, key: desk.record(key, [vector(7)], record={"files": []}),
        "no vectors",
    ),
    "lost vectors": (lost, "no vectors"),
    "a changed document": (lambda desk, key: damaged(desk, key, "json"), "no vectors"),
    "changed vectors": (lambda desk, key: damaged(desk, key, "safetensors"), "other vectors"),
    "another model": (
        lambda desk, key: desk.record(key, [vector(7)], model="sface"),
        "other vectors",
    ),
    "other weights": (
        lambda desk, key: desk.record(key, [vector(7)], weights="cd" * 32),
        "other vectors",
    ),
    "another size": (lambda desk, key: desk.record(key, [vector(7, 16)]), "other vectors"),
    "NaN": (
        lambda desk, key: desk.record(key, [np.full(DIMENSION, np.nan, np.float32)]),
        "other vectors",
    ),
    "a zero vector": (
        lambda desk, key: desk.record(key, [np.zeros(DIMENSION, np.float32)]),
        "other vectors",
    ),
    "half precision": (
        lambda desk, key: desk.record(key, [vector(7).astype(np.float16)]),
        "other vectors",
    ),
    "rows that are not there": (
        lambda desk, key: desk.record(key, [vector(7)], document={"faces": []}),
        "other vectors",
    ),
    "an infinite threshold": (
        lambda desk, key: desk.record(key, [vector(7)], document={"same_above": float("inf")}),
        "other vectors",
    ),
    "a photo that was deleted": (without_photo, "photo gone"),
    "a photo that was replaced": (replaced_photo, "photo gone"),
}


@pytest.mark.parametrize(("make", "why"), SKIPPED.values(), ids=SKIPPED)
def test_a_record_without_usable_vectors_is_skipped_with_a_reason(
    staff: Desk, make: Any, why: str
) -> None:
    good = staff.record("a.jpg", [vector(1)])
    bad = make(staff, "b.jpg")

    result = staff.enroll(good, bad)

    assert result.enrolled == 1
    assert result.skipped == (SkippedRecord(record=bad, why=why),)
    assert staff.alive() == [("a.jpg", 0, None)]


def test_a_record_of_another_job_is_none(staff: Desk) -> None:
    record = staff.record("a.jpg", [vector(1)])

    assert staff.enroll(record, job_id="job-of-a.png").skipped == (
        SkippedRecord(record=record, why="no record"),
    )
    assert staff.enroll(record, job_id="job-of-a.jpg").enrolled == 1


def test_records_of_another_model_alone_are_a_mismatch(staff: Desk) -> None:
    with pytest.raises(EmbeddingMismatch, match="not of sface"):
        staff.enroll(staff.record("a.jpg", [vector(1)], model="sface"))


def test_a_photo_that_was_uploaded_again_is_the_same_photo(staff: Desk) -> None:
    record = staff.record("a.jpg", [vector(1)])
    staff.photo("a.jpg")

    assert staff.enroll(record).enrolled == 1


def test_each_object_points_to_its_collection(staff: Desk) -> None:
    staff.enroll(staff.record("a.jpg", [vector(1)]))

    assert staff.objects("photos/") == [f"photos/{object_digest(INGEST, 'a.jpg').hex()}/staff"]


def test_nothing_is_enrolled_without_a_collection(desk: Desk) -> None:
    with pytest.raises(CollectionMissing, match="no collection staff"):
        desk.enroll(desk.record("a.jpg", [vector(1)]))
    assert desk.objects() == []


def test_an_enrolment_that_was_asked_for_long_ago_is_refused(staff: Desk) -> None:
    asked_at = staff.clock - timedelta(days=15)

    with pytest.raises(InvalidOptions, match="more than 15 days ago"):
        staff.enroll(staff.record("a.jpg", [vector(1)]), asked_at=asked_at)


def test_an_enrolment_for_a_former_collection_is_refused(staff: Desk) -> None:
    asked_at = staff.tick()
    staff.delete()
    staff.create()

    with pytest.raises(CollectionMissing, match="created after"):
        staff.enroll(staff.record("a.jpg", [vector(1)]), asked_at=asked_at)


def centroids(desk: Desk, *vectors: Any) -> VectorsFile:
    place = Location("work", "vectors/speakers.safetensors")
    content = save({"embeddings": np.stack(vectors)})
    return VectorsFile(
        vectors=desk.store.write(place, content, media_type=""),
        model="wespeaker",
        weights_sha256="ef" * 32,
        same_above=0.4,
    )


def entry(row: int, subject: int, person: str | None = None, key: str = "call.mp3") -> Entry:
    sha256 = "4f" * 32
    return Entry(row=row, bucket=INGEST, key=key, sha256=sha256, subject=subject, person=person)


def speakers(desk: Desk, entries: list[Entry], *vectors: Any) -> VectorsEnrolled:
    job = desk.job(
        EnrollVectors, collection="voices", file=centroids(desk, *vectors), entries=entries
    )
    return desk.run(job, VectorsEnrolled)


@pytest.fixture
def voices(desk: Desk) -> Desk:
    desk.create("voices", model="wespeaker")
    desk.photo("call.mp3", b"a recording")
    return desk


def of_recording(entry: Entry, desk: Desk) -> Entry:
    content = desk.store.read(Location(INGEST, "call.mp3"))
    return entry.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()})


def test_speakers_are_enrolled_like_faces(voices: Desk) -> None:
    entries = [of_recording(entry(1, 0, "anna"), voices), of_recording(entry(0, 1), voices)]

    result = speakers(voices, entries, vector(1, 192), vector(2, 192))

    assert (result.enrolled, result.vectors, result.skipped) == (2, 2, ())
    assert voices.alive("voices") == [("call.mp3", 0, "anna"), ("call.mp3", 1, None)]


def test_a_row_that_the_file_lacks_is_refused(voices: Desk) -> None:
    with pytest.raises(InvalidOptions, match="no row 1"):
        speakers(voices, [of_recording(entry(1, 0), voices)], vector(1, 192))


def test_vectors_of_a_recording_that_is_gone_are_refused(voices: Desk) -> None:
    with pytest.raises(SourceMissing, match=r"call\.mp3 was deleted or replaced"):
        speakers(voices, [entry(0, 0)], vector(1, 192))


def test_vectors_that_are_not_of_length_1_are_a_mismatch(voices: Desk) -> None:
    entries = [of_recording(entry(0, 0), voices)]

    with pytest.raises(EmbeddingMismatch, match="length 2, not 1"):
        speakers(voices, entries, vector(1, 192) * 2)


def test_vectors_of_another_model_are_a_mismatch(staff: Desk) -> None:
    staff.photo("call.mp3", b"a recording")
    job = staff.job(
        EnrollVectors,
        collection="staff",
        file=centroids(staff, vector(1)),
        entries=[of_recording(entry(0, 0), staff)],
    )

    with pytest.raises(EmbeddingMismatch, match=f"vectors of {MODEL}, not of wespeaker"):
        staff.run(job, VectorsEnrolled)


class Denying:
    """A store that denies access to a bucket."""

    def __init__(self, store: Any, bucket: str) -> None:
        self._store = store
        self._bucket = bucket

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def ask(location: Location, *args: Any, **options: Any) -> Any:
            if location.bucket == self._bucket:
                raise AccessDenied(location.uri)
            return method(location, *args, **options)

        return ask


@pytest.mark.parametrize("bucket", [INGEST, "work"])
def test_what_the_function_may_not_read_is_forbidden(voices: Desk, bucket: str) -> None:
    entries = [of_recording(entry(0, 0), voices)]
    file = centroids(voices, vector(1, 192))
    job = voices.job(EnrollVectors, collection="voices", file=file, entries=entries)
    bench = voices.context.bench
    denying: Any = Denying(voices.store, bucket)
    context = TaskContext(Workbench(root=bench.root, settings=bench.settings, store=denying))

    with pytest.raises(SourceForbidden, match=f"s3://{bucket}/"):
        replace(voices, context=context).run(job, VectorsEnrolled)


def test_vectors_at_no_place_are_refused(voices: Desk) -> None:
    file = centroids(voices, vector(1, 192))
    nowhere = file.model_copy(
        update={"vectors": file.vectors.model_copy(update={"uri": "file:///etc/passwd"})}
    )
    entries = [of_recording(entry(0, 0), voices)]
    job = voices.job(EnrollVectors, collection="voices", file=nowhere, entries=entries)

    with pytest.raises(InvalidOptions, match="is no place of an object"):
        voices.run(job, VectorsEnrolled)
