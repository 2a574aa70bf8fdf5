"""An address is split at its first slash, and no key or bucket leaves a `LocalStore`'s folder."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from pipeline.artifacts import LocalStore, Location, uploading

CONTENT = b"the bytes of a photo"


def write(store: LocalStore, location: Location) -> None:
    store.write(location, CONTENT, media_type="image/jpeg")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://photos/cat.jpg", Location("photos", "cat.jpg")),
        ("s3://photos//lead", Location("photos", "/lead")),
        ("s3://photos/a?b#c%20d", Location("photos", "a?b#c%20d")),
        ("s3://photos/s3://x/y", Location("photos", "s3://x/y")),
    ],
)
def test_an_address_is_split_at_its_first_slash(uri: str, expected: Location) -> None:
    assert Location.parse(uri) == expected
    assert expected.uri == uri


@pytest.mark.parametrize(
    "uri", ["", "photos/cat.jpg", "s3://", "s3://photos", "s3://photos/", "s3:///k", "file://b/k"]
)
def test_an_invalid_address_is_rejected(uri: str) -> None:
    with pytest.raises(ValueError, match="not an s3://bucket/key address"):
        Location.parse(uri)


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
        write(folder, location)
    assert (tmp_path / "secret").read_bytes() == b"mine"


@pytest.mark.parametrize("bucket", ["/etc", "a/b", "."])
def test_no_bucket_leaves_the_folder(folder: LocalStore, bucket: str) -> None:
    write(folder, Location(bucket, "key"))

    assert [path.name for path in folder.root.glob("*/*")] == ["key"]


def test_what_is_uploaded_is_stored_with_its_checksum(tmp_path: Path) -> None:
    store, place = LocalStore(tmp_path), Location("work", "recorded.flac")

    with uploading(store, place) as upload:
        for part in (CONTENT[:7], CONTENT[7:]):
            upload.write(part)

    assert store.read(place) == CONTENT
    assert upload.artifact == store.write(place, CONTENT, media_type="audio/flac")


def test_an_upload_of_nothing_stores_nothing(tmp_path: Path) -> None:
    store, place = LocalStore(tmp_path), Location("work", "recorded.flac")

    with uploading(store, place) as upload:
        pass

    assert not upload.bytes
    with pytest.raises(KeyError):
        store.read(place)


def test_an_upload_that_an_error_ends_stores_nothing(tmp_path: Path) -> None:
    store, place = LocalStore(tmp_path), Location("work", "recorded.flac")

    with contextlib.suppress(ValueError), uploading(store, place) as upload:
        upload.write(CONTENT)
        raise ValueError("broken")

    with pytest.raises(KeyError):
        store.read(place)
