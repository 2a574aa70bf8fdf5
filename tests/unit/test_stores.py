"""A folder and S3 keep the same promises."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline.artifacts import Artifact, ArtifactStore, LocalStore, Location
from pipeline.s3 import S3Store

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


@pytest.fixture
def folder(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, mock_aws() as cloud:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield cloud, boto3.client("s3")


@pytest.fixture
def s3(cloud: Any) -> S3Store:
    backends, client = cloud
    backends.reset()
    client.create_bucket(Bucket="photos")
    return S3Store(client)


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest) -> ArtifactStore:
    store: ArtifactStore = request.getfixturevalue(request.param)
    return store


def write(store: ArtifactStore, location: Location, content: bytes) -> Artifact:
    return store.write(location, content, media_type="image/jpeg")


@pytest.mark.parametrize("content", [CONTENT, b"", bytes(range(256)) * 999])
def test_what_is_written_is_read(store: ArtifactStore, content: bytes) -> None:
    write(store, PHOTO, content)

    assert store.read(PHOTO) == content


def test_a_written_artifact_has_address_checksum_and_size(store: ArtifactStore) -> None:
    expected = Artifact(uri="s3://photos/trips/cat.jpg", sha256=SHA256, bytes=len(CONTENT))

    assert expected == write(store, PHOTO, CONTENT)


def test_an_artifact_leads_back_to_its_bytes(store: ArtifactStore) -> None:
    artifact = write(store, PHOTO, CONTENT)

    assert store.read(Location.parse(artifact.uri)) == CONTENT


def test_writing_again_replaces(store: ArtifactStore) -> None:
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


def test_a_download_is_the_written_bytes(store: ArtifactStore, tmp_path: Path) -> None:
    write(store, PHOTO, CONTENT)
    store.download(PHOTO, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_an_upload_is_read_and_keeps_the_checksum_it_came_with(
    store: ArtifactStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    artifact = store.upload(tmp_path / "file", PHOTO, sha256=SHA256)

    assert artifact == Artifact(uri=PHOTO.uri, sha256=SHA256, bytes=len(CONTENT))
    assert store.read(PHOTO) == CONTENT


def test_a_stream_is_the_written_bytes(store: ArtifactStore) -> None:
    content = CONTENT * 70_000
    write(store, PHOTO, content)

    chunks = list(store.stream(PHOTO))

    assert b"".join(chunks) == content
    assert len(chunks) > 1


PARTS = {
    "nothing": [],
    "less than a part": [b"half ", b"a part"],
    "a part and a byte": [bytes(2**20)] * 16 + [b"!"],
    "two parts": [b"\1" * 2**24, b"\2" * 2**24],
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_an_upload_in_pieces_is_seen_once_it_is_complete(
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


def test_an_upload_replaces_what_is_there_only_when_it_is_complete(store: ArtifactStore) -> None:
    write(store, PHOTO, b"before")
    upload = store.begin(PHOTO)
    upload.write(CONTENT)
    assert store.read(PHOTO) == b"before"

    upload.complete()

    assert store.read(PHOTO) == CONTENT


def test_only_the_first_of_two_creates_an_object(store: ArtifactStore) -> None:
    first = store.write_if_unchanged(PHOTO, b"mine", etag=None)
    second = store.write_if_unchanged(PHOTO, b"yours", etag=None)

    assert first == store.stat(PHOTO).etag
    assert second is None
    assert store.read(PHOTO) == b"mine"


def test_an_object_is_replaced_only_as_it_was_seen(store: ArtifactStore) -> None:
    write(store, PHOTO, b"seen")
    etag = store.stat(PHOTO).etag

    assert store.write_if_unchanged(PHOTO, b"new", etag=etag) == store.stat(PHOTO).etag
    assert store.write_if_unchanged(PHOTO, b"newer", etag=etag) is None
    assert store.read(PHOTO) == b"new"


def test_an_object_that_is_gone_is_not_replaced(store: ArtifactStore) -> None:
    write(store, PHOTO, b"seen")
    etag = store.stat(PHOTO).etag
    store.delete_if_unchanged(PHOTO, etag=etag)

    assert store.write_if_unchanged(PHOTO, b"new", etag=etag) is None
    with pytest.raises(KeyError):
        store.read(PHOTO)


def test_an_object_is_deleted_only_as_it_was_seen(store: ArtifactStore) -> None:
    write(store, PHOTO, b"seen")
    etag = store.stat(PHOTO).etag
    write(store, PHOTO, b"somebody else's")

    store.delete_if_unchanged(PHOTO, etag=etag)
    store.delete_if_unchanged(PHOTO._replace(key="nothing"), etag=etag)

    assert store.read(PHOTO) == b"somebody else's"


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
        store.download(location, tmp_path / "copy")
    with pytest.raises(KeyError, match=location.uri):
        list(store.stream(location))


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_text_is_a_key(store: ArtifactStore, key: str) -> None:
    artifact = write(store, Location("photos", key), CONTENT)

    assert artifact.uri == f"s3://photos/{key}"
    assert store.read(Location.parse(artifact.uri)) == CONTENT


def test_keys_that_look_alike_stay_apart(store: ArtifactStore) -> None:
    for key in ODD_KEYS:
        write(store, Location("photos", key), key.encode())

    assert [store.read(Location("photos", key)) for key in ODD_KEYS] == [
        key.encode() for key in ODD_KEYS
    ]


OUTSIDE = [
    Location("photos", ".."),
    Location("photos", "../secret"),
    Location("photos", "trips/../../secret"),
    Location("..", "secret"),
]


@pytest.mark.parametrize("location", OUTSIDE, ids=lambda location: location.uri)
def test_no_key_leaves_the_folder(folder: LocalStore, location: Location, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"mine")

    with pytest.raises(ValueError, match="refusing to leave the store"):
        folder.read(location)
    with pytest.raises(ValueError, match="refusing to leave the store"):
        write(folder, location, CONTENT)
    assert (tmp_path / "secret").read_bytes() == b"mine"


@pytest.mark.parametrize("bucket", ["/etc", "a/b", "."])
def test_no_bucket_leaves_the_folder(folder: LocalStore, bucket: str) -> None:
    write(folder, Location(bucket, "key"), CONTENT)

    assert [path.name for path in folder.root.glob("*/*")] == ["key"]


@pytest.mark.parametrize("key", ["../up.jpg", "a/../b.jpg"])
def test_s3_has_no_folders_to_leave(s3: S3Store, key: str) -> None:
    write(s3, Location("photos", key), CONTENT)

    assert s3.read(Location("photos", key)) == CONTENT


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://photos/cat.jpg", Location("photos", "cat.jpg")),
        ("s3://photos//lead", Location("photos", "/lead")),
        ("s3://photos/a?b#c%20d", Location("photos", "a?b#c%20d")),
        ("s3://photos/s3://x/y", Location("photos", "s3://x/y")),
    ],
)
def test_an_address_is_split_at_the_first_slash(uri: str, expected: Location) -> None:
    assert Location.parse(uri) == expected
    assert expected.uri == uri


@pytest.mark.parametrize(
    "uri", ["", "photos/cat.jpg", "s3://", "s3://photos", "s3://photos/", "s3:///k", "file://b/k"]
)
def test_what_is_no_address_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="not an s3://bucket/key address"):
        Location.parse(uri)
