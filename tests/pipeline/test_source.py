"""A task reads the very bytes that were inspected, or says what happened to them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.artifacts import LocalStore, Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.errors import SourceChanged, SourceMissing
from pipeline.workbench import read_source

INSPECTED = b"the photo as it was"
SOURCE = SourcePhoto(
    bucket="photos",
    key="사진/cat 1.jpg",
    version_id=None,
    etag="e",
    sha256=hashlib.sha256(INSPECTED).hexdigest(),
    bytes=len(INSPECTED),
    media_type="image/jpeg",
    width=3,
    height=2,
)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def put(store: LocalStore, content: bytes) -> None:
    store.write(Location(SOURCE.bucket, SOURCE.key), content, media_type="image/jpeg")


def test_the_inspected_bytes_are_read_again(store: LocalStore) -> None:
    put(store, INSPECTED)

    assert read_source(store, SOURCE) == INSPECTED


def test_a_photo_that_is_gone_is_missing(store: LocalStore) -> None:
    with pytest.raises(SourceMissing, match=r"s3://photos/사진/cat 1\.jpg was deleted"):
        read_source(store, SOURCE)


@pytest.mark.parametrize("content", [b"", b"the photo as it is!", INSPECTED + b"\0"])
def test_a_photo_with_other_bytes_has_changed(store: LocalStore, content: bytes) -> None:
    put(store, content)

    with pytest.raises(SourceChanged, match=r"s3://photos/사진/cat 1\.jpg was replaced"):
        read_source(store, SOURCE)
