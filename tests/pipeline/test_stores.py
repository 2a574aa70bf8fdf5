"""A folder and S3 keep the same promises."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.artifacts import Artifact, ArtifactStore, LocalStore, Location
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
def test_s3_has_no_folders_to_leave(bucket: S3Store, key: str) -> None:
    write(bucket, Location("photos", key), CONTENT)

    assert bucket.read(Location("photos", key)) == CONTENT


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
