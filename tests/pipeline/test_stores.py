"""`LocalStore` and `S3Store` behave the same."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.artifacts import Artifact, ArtifactStore, LocalStore, Location, ObjectChanged
from pipeline.aws.s3 import S3Store

PHOTO = Location("photos", "trips/cat.jpg")
CONTENT = b"the bytes of a photo"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ODD_KEYS = [
    "space and+plus%20.jpg",
    "고양이/사진 😀.jpg",
    "question?and#hash&.jpg",
    "dots...jpg",
    "a//b.jpg",
    "a/./b.jpg",
    "folder/",
    "/lead.jpg",
    "%2E.jpg",
    "back\\slash:colon*.jpg",
    "line\nbreak.jpg",
    "e\u0301.jpg",
    "\u00e9.jpg",
]


def write(store: ArtifactStore, location: Location, content: bytes) -> Artifact:
    return store.write(location, content, media_type="image/jpeg")


@pytest.mark.parametrize("content", [CONTENT, b"", bytes(range(256)) * 999])
def test_written_bytes_are_read_back(store: ArtifactStore, content: bytes) -> None:
    write(store, PHOTO, content)

    assert store.read(PHOTO) == content


def test_a_written_artifact_has_address_checksum_and_size(store: ArtifactStore) -> None:
    expected = Artifact(uri="s3://photos/trips/cat.jpg", sha256=SHA256, bytes=len(CONTENT))

    assert expected == write(store, PHOTO, CONTENT)


def test_an_artifacts_address_reads_its_bytes(store: ArtifactStore) -> None:
    artifact = write(store, PHOTO, CONTENT)

    assert store.read(Location.parse(artifact.uri)) == CONTENT


def test_a_second_write_replaces_the_first(store: ArtifactStore) -> None:
    write(store, PHOTO, b"before")
    write(store, PHOTO, CONTENT)

    assert store.read(PHOTO) == CONTENT


def test_size_and_etag_are_known_without_reading(store: ArtifactStore) -> None:
    write(store, PHOTO, CONTENT)
    stat = store.stat(PHOTO)

    assert stat.bytes == len(CONTENT)
    assert stat.etag == hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    assert stat.version_id is None
    assert stat.metadata == {}


def test_a_download_has_the_written_bytes(store: ArtifactStore, tmp_path: Path) -> None:
    write(store, PHOTO, CONTENT)
    store.download(PHOTO, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_an_uploaded_file_is_read_back_and_keeps_its_given_checksum(
    store: ArtifactStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    artifact = store.upload(tmp_path / "file", PHOTO, sha256=SHA256)

    assert artifact == Artifact(uri=PHOTO.uri, sha256=SHA256, bytes=len(CONTENT))
    assert store.read(PHOTO) == CONTENT


def test_a_range_has_those_bytes_and_no_others(store: ArtifactStore) -> None:
    write(store, PHOTO, CONTENT)
    etag = store.stat(PHOTO).etag

    assert store.read_range(PHOTO, 0, 5, etag=etag) == CONTENT[:5]
    assert store.read_range(PHOTO, 4, 9, etag=etag) == CONTENT[4:13]
    assert store.read_range(PHOTO, 0, len(CONTENT), etag=etag) == CONTENT


def test_a_range_of_a_replaced_object_is_refused(store: ArtifactStore) -> None:
    write(store, PHOTO, CONTENT)
    etag = store.stat(PHOTO).etag
    write(store, PHOTO, CONTENT + b"!")

    with pytest.raises(ObjectChanged, match=r"cat\.jpg"):
        store.read_range(PHOTO, 0, 5, etag=etag)


def test_a_stream_has_the_written_bytes_in_chunks(store: ArtifactStore) -> None:
    content = CONTENT * 70_000
    write(store, PHOTO, content)

    chunks = list(store.stream(PHOTO))

    assert b"".join(chunks) == content
    assert len(chunks) > 1


MISSING = [
    Location("photos", "trips/dog.jpg"),
    Location("photos", "trips"),
    Location("photos", "trips/"),
    Location("photos", "trips/cat.jpg/inside"),
    Location("nowhere", "trips/cat.jpg"),
]


@pytest.mark.parametrize("location", MISSING, ids=lambda location: location.uri)
def test_a_missing_object_is_a_key_error(
    store: ArtifactStore, location: Location, tmp_path: Path
) -> None:
    write(store, PHOTO, CONTENT)

    with pytest.raises(KeyError, match=location.uri):
        store.stat(location)
    with pytest.raises(KeyError, match=location.uri):
        store.read(location)
    with pytest.raises(KeyError, match=location.uri):
        store.read_range(location, 0, 1, etag="0" * 32)
    with pytest.raises(KeyError, match=location.uri):
        store.download(location, tmp_path / "copy")
    with pytest.raises(KeyError, match=location.uri):
        list(store.stream(location))


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_text_can_be_a_key(store: ArtifactStore, key: str) -> None:
    artifact = write(store, Location("photos", key), CONTENT)

    assert artifact.uri == f"s3://photos/{key}"
    assert store.read(Location.parse(artifact.uri)) == CONTENT


def test_similar_keys_stay_distinct(store: ArtifactStore) -> None:
    for key in ODD_KEYS:
        write(store, Location("photos", key), key.encode())

    assert [store.read(Location("photos", key)) for key in ODD_KEYS] == [
        key.encode() for key in ODD_KEYS
    ]


@pytest.mark.parametrize("key", ["../up.jpg", "a/../b.jpg"])
def test_s3_accepts_keys_with_two_dots(bucket: S3Store, key: str) -> None:
    write(bucket, Location("photos", key), CONTENT)

    assert bucket.read(Location("photos", key)) == CONTENT


PARTS = {
    "nothing": [],
    "less than a part": [b"half ", b"a part"],
    "a part and a byte": [bytes(2**20)] * 16 + [b"!"],
    "two parts": [b"\1" * 2**24, b"\2" * 2**24],
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_an_upload_in_pieces_exists_only_after_it_is_complete(
    store: ArtifactStore, parts: list[bytes]
) -> None:
    upload = store.begin(PHOTO)
    for part in parts:
        upload.write(part)
    with pytest.raises(KeyError):
        store.read(PHOTO)

    upload.complete()

    assert store.read(PHOTO) == b"".join(parts)
    upload.abort()
    assert store.stat(PHOTO).bytes == sum(map(len, parts))


def left_behind(store: ArtifactStore) -> list[object]:
    if isinstance(store, LocalStore):
        return [path for path in store.root.rglob("*") if path.is_file()]
    client = store._client  # type: ignore[attr-defined]
    listed = client.list_objects_v2(Bucket=PHOTO.bucket).get("Contents", [])
    return [*listed, *client.list_multipart_uploads(Bucket=PHOTO.bucket).get("Uploads", [])]


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_an_aborted_upload_leaves_nothing_behind(store: ArtifactStore, parts: list[bytes]) -> None:
    upload = store.begin(PHOTO)
    for part in parts:
        upload.write(part)

    upload.abort()
    upload.abort()

    assert left_behind(store) == []


def test_an_upload_replaces_an_object_only_when_it_is_complete(store: ArtifactStore) -> None:
    write(store, PHOTO, b"before")
    upload = store.begin(PHOTO)
    upload.write(CONTENT)
    assert store.read(PHOTO) == b"before"

    upload.complete()

    assert store.read(PHOTO) == CONTENT


def test_only_the_first_of_two_writers_creates_an_object(store: ArtifactStore) -> None:
    first = store.write_if_unchanged(PHOTO, b"mine", etag=None)
    second = store.write_if_unchanged(PHOTO, b"yours", etag=None)

    assert first == store.stat(PHOTO).etag
    assert second is None
    assert store.read(PHOTO) == b"mine"


def test_an_object_is_replaced_only_with_its_current_etag(store: ArtifactStore) -> None:
    write(store, PHOTO, b"seen")
    etag = store.stat(PHOTO).etag

    assert store.write_if_unchanged(PHOTO, b"new", etag=etag) == store.stat(PHOTO).etag
    assert store.write_if_unchanged(PHOTO, b"newer", etag=etag) is None
    assert store.read(PHOTO) == b"new"


def test_a_deleted_object_is_not_replaced(store: ArtifactStore) -> None:
    write(store, PHOTO, b"seen")
    etag = store.stat(PHOTO).etag
    store.delete_if_unchanged(PHOTO, etag=etag)

    assert store.write_if_unchanged(PHOTO, b"new", etag=etag) is None
    with pytest.raises(KeyError):
        store.read(PHOTO)


def test_an_object_is_deleted_only_with_its_current_etag(store: ArtifactStore) -> None:
    write(store, PHOTO, b"seen")
    etag = store.stat(PHOTO).etag
    write(store, PHOTO, b"another writer's")

    store.delete_if_unchanged(PHOTO, etag=etag)
    store.delete_if_unchanged(PHOTO._replace(key="nothing"), etag=etag)

    assert store.read(PHOTO) == b"another writer's"


def test_an_object_that_a_reader_knows_is_not_read_again(store: ArtifactStore) -> None:
    write(store, PHOTO, CONTENT)
    etag = store.stat(PHOTO).etag

    assert store.read_if_changed(PHOTO, etag=None) == (CONTENT, etag)
    assert store.read_if_changed(PHOTO, etag=etag) is None


def test_an_object_that_was_replaced_is_read_again(store: ArtifactStore) -> None:
    write(store, PHOTO, b"seen")
    etag = store.stat(PHOTO).etag
    write(store, PHOTO, CONTENT)

    assert store.read_if_changed(PHOTO, etag=etag) == (CONTENT, store.stat(PHOTO).etag)


@pytest.mark.parametrize("etag", [None, "0" * 32])
def test_a_missing_object_is_never_unchanged(store: ArtifactStore, etag: str | None) -> None:
    write(store, PHOTO, CONTENT)

    with pytest.raises(KeyError, match=r"dog\.jpg"):
        store.read_if_changed(PHOTO._replace(key="trips/dog.jpg"), etag=etag)


def keys_of(store: ArtifactStore, prefix: str, after: str = "") -> list[str]:
    return [each.location.key for each in store.listing(Location("photos", prefix), after=after)]


def test_a_listing_has_the_keys_below_a_prefix_in_order(store: ArtifactStore) -> None:
    for key in ("b/2", "b/10", "a", "b/", "bc", "b/1/x", "c"):
        write(store, Location("photos", key), CONTENT)

    assert keys_of(store, "b/") == ["b/", "b/1/x", "b/10", "b/2"]
    assert keys_of(store, "b") == ["b/", "b/1/x", "b/10", "b/2", "bc"]
    assert keys_of(store, "") == ["a", "b/", "b/1/x", "b/10", "b/2", "bc", "c"]
    assert keys_of(store, "b/", after="b/1/x") == ["b/10", "b/2"]
    assert keys_of(store, "d") == []


def test_a_listing_has_size_and_time(store: ArtifactStore) -> None:
    write(store, PHOTO, CONTENT)
    (listed,) = store.listing(Location("photos", "trips/"))

    assert (listed.location, listed.bytes) == (PHOTO, len(CONTENT))
    assert abs(datetime.now(UTC) - listed.written) < timedelta(minutes=1)


def test_a_listing_has_any_key(store: ArtifactStore) -> None:
    for key in ODD_KEYS:
        write(store, Location("photos", key), CONTENT)

    assert sorted(keys_of(store, "")) == sorted(ODD_KEYS)


def test_more_keys_than_a_page_has_are_listed_and_erased(store: ArtifactStore) -> None:
    for number in range(1001):
        write(store, Location("photos", f"many/{number:04}"), b"")
    write(store, PHOTO, CONTENT)

    assert len(keys_of(store, "many/")) == 1001
    assert store.erase_below(Location("photos", "many/")) == 1001
    assert keys_of(store, "") == [PHOTO.key]


def test_an_erased_object_is_gone_and_others_stay(store: ArtifactStore) -> None:
    write(store, PHOTO, CONTENT)
    write(store, PHOTO._replace(key="trips/cat.jpg2"), CONTENT)

    assert store.erase(PHOTO) == 1
    assert store.erase(PHOTO) == 0
    assert keys_of(store, "") == ["trips/cat.jpg2"]


def test_only_keys_with_that_ending_are_erased_below_a_prefix(store: ArtifactStore) -> None:
    for key in ("p/1/staff", "p/1/guests", "p/2/staff", "q/staff"):
        write(store, Location("photos", key), CONTENT)

    assert store.erase_below(Location("photos", "p/"), ending="/staff") == 2
    assert keys_of(store, "") == ["p/1/guests", "q/staff"]


def versions_left(store: S3Store) -> list[str]:
    answer = store._client.list_object_versions(Bucket="photos")
    return [row["Key"] for row in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ()))]


def test_every_version_and_delete_marker_is_erased(bucket: S3Store) -> None:
    bucket._client.put_bucket_versioning(
        Bucket="photos", VersioningConfiguration={"Status": "Enabled"}
    )
    for content in (b"first", b"second"):
        write(bucket, PHOTO, content)
        write(bucket, PHOTO._replace(key="trips/dog.jpg"), content)
    bucket._client.delete_object(Bucket="photos", Key=PHOTO.key)

    assert bucket.erase(PHOTO) == 1
    assert versions_left(bucket) == ["trips/dog.jpg"] * 2
    assert bucket.erase_below(Location("photos", "trips/")) == 1
    assert versions_left(bucket) == []


def test_an_object_from_before_versioning_is_erased(bucket: S3Store) -> None:
    write(bucket, PHOTO, b"before")
    bucket._client.put_bucket_versioning(
        Bucket="photos", VersioningConfiguration={"Status": "Enabled"}
    )
    write(bucket, PHOTO, CONTENT)

    assert bucket.erase(PHOTO) == 1
    assert versions_left(bucket) == []
