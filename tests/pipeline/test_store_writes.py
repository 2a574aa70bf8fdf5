"""What is written in pieces is seen whole, and what is written on a condition has one winner."""

from __future__ import annotations

import pytest

from pipeline.artifacts import ArtifactStore, LocalStore, Location

PHOTO = Location("photos", "trips/cat.jpg")
CONTENT = b"the bytes of a photo"


def write(store: ArtifactStore, location: Location, content: bytes) -> None:
    store.write(location, content, media_type="image/jpeg")


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
