"""An uploaded object is read as a file, in ranges of the version that was inspected."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.artifacts import (
    AccessDenied,
    ArtifactStore,
    CustomerKeyRequired,
    LocalStore,
    Location,
    ObjectArchived,
)
from pipeline.aws.s3 import S3Store
from pipeline.contracts.contract import Source
from pipeline.errors import (
    SourceArchived,
    SourceChanged,
    SourceForbidden,
    SourceMissing,
    StoreUnavailable,
)
from pipeline.source_file import BLOCK_BYTES, SourceFile

PLACE = Location("ingest", "영화/film 1.mp4")


class Counting(LocalStore):
    """A store that counts the ranges it is asked for, and then fails with `error`, if any."""

    def __init__(self, root: Path, error: Exception | None = None) -> None:
        super().__init__(root)
        self.ranges: list[tuple[int, int]] = []
        self.error = error

    def read_range(self, location: Location, start: int, count: int, *, etag: str) -> bytes:
        self.ranges.append((start, count))
        if self.error:
            raise self.error
        return super().read_range(location, start, count, etag=etag)


def drawn(count: int) -> bytes:
    return np.random.default_rng(1).bytes(count)


def uploaded(store: ArtifactStore, content: bytes, place: Location = PLACE) -> Source:
    store.write(place, content, media_type="video/mp4")
    stat = store.stat(place)
    return Source(
        bucket=place.bucket,
        key=place.key,
        version_id=stat.version_id,
        etag=stat.etag,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        media_type="video/mp4",
    )


@pytest.mark.parametrize(
    "size", [1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES + 5]
)
def test_the_file_is_the_object(tmp_path: Path, size: int) -> None:
    content, store = drawn(size), Counting(tmp_path)
    file = SourceFile(store, uploaded(store, content))

    assert io.BufferedReader(file).read() == content
    assert len(store.ranges) == -(-size // BLOCK_BYTES)
    assert sum(count for _, count in store.ranges) == size


def test_every_place_is_reached_as_in_any_file(tmp_path: Path) -> None:
    content, store = drawn(3 * BLOCK_BYTES // 2), Counting(tmp_path)
    file, same = SourceFile(store, uploaded(store, content)), io.BytesIO(content)
    places = [(5, 0), (-7, 2), (100, 1), (BLOCK_BYTES - 3, 0), (len(content) + 9, 0), (0, 2)]

    for offset, whence in places:
        assert file.seek(offset, whence) == same.seek(offset, whence)
        assert io.BytesIO(file.read(3)).read() == same.read(3)
        assert file.tell() == same.tell()
        if file.tell() > len(content):
            file.seek(0)
            same.seek(0)
    with pytest.raises(ValueError, match="-1"):
        file.seek(-1)


def test_an_index_at_the_end_costs_no_second_reading(tmp_path: Path) -> None:
    content, store = drawn(3 * BLOCK_BYTES), Counting(tmp_path)
    file = SourceFile(store, uploaded(store, content))

    for at in range(0, 2 * BLOCK_BYTES, BLOCK_BYTES // 4):
        file.seek(3 * BLOCK_BYTES - 100)
        file.read(100)
        file.seek(at)
        file.read(BLOCK_BYTES // 4)

    assert len(store.ranges) == 3


def test_only_a_few_blocks_are_kept(tmp_path: Path) -> None:
    content, store = drawn(12 * BLOCK_BYTES), Counting(tmp_path)
    file = SourceFile(store, uploaded(store, content))
    while file.read(BLOCK_BYTES):
        pass

    assert sum(map(len, file._blocks.values())) <= 6 * BLOCK_BYTES


def test_a_replaced_object_has_changed(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    file = SourceFile(store, uploaded(store, drawn(9)))
    store.write(PLACE, drawn(10), media_type="video/mp4")

    with pytest.raises(SourceChanged, match=r"film 1\.mp4 was replaced"):
        file.read(1)


def test_a_deleted_object_is_missing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    source = uploaded(store, drawn(9))
    store.delete_if_unchanged(PLACE, etag=source.etag)

    with pytest.raises(SourceMissing, match=r"film 1\.mp4 was deleted"):
        SourceFile(store, source).read(1)


@pytest.mark.parametrize(
    ("raised", "named"),
    [
        (ObjectArchived("in GLACIER"), SourceArchived),
        (CustomerKeyRequired("no"), SourceForbidden),
        (StoreUnavailable("later"), StoreUnavailable),
        (AccessDenied("no"), AccessDenied),
    ],
)
def test_an_error_has_its_name(tmp_path: Path, raised: Exception, named: type[Exception]) -> None:
    store = Counting(tmp_path)
    file = SourceFile(store, uploaded(store, drawn(9)))
    store.error = raised

    with pytest.raises(named):
        file.read(1)


def test_in_s3_the_version_that_was_inspected_is_read(cloud: Any) -> None:
    _, client = cloud
    client.create_bucket(Bucket="versioned")
    client.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    store, place, content = S3Store(client), Location("versioned", "film.mp4"), drawn(1_000)
    file = SourceFile(store, uploaded(store, content, place))
    store.write(place, drawn(2_000)[::-1], media_type="video/mp4")

    assert file.read(1_000) == content
