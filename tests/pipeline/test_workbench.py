"""A workbench has its settings from the environment, and reads the bytes that were inspected."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pipeline.artifacts import (
    AccessDenied,
    CustomerKeyRequired,
    LocalStore,
    Location,
    ObjectArchived,
)
from pipeline.contracts.contract import SourcePhoto
from pipeline.errors import (
    KeyUnusable,
    SourceArchived,
    SourceChanged,
    SourceForbidden,
    SourceMissing,
    StoreUnavailable,
)
from pipeline.workbench import Settings, read_source

ON_LAMBDA = {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}
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


@pytest.mark.parametrize(
    ("memory_mb", "threads"),
    [(128, 1), (512, 1), (1769, 1), (2048, 1), (2654, 2), (3538, 2), (4096, 2), (10240, 6)],
)
def test_on_lambda_memory_sets_the_number_of_threads(memory_mb: int, threads: int) -> None:
    environment = ON_LAMBDA | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb)}

    settings = Settings.from_environment(environment)

    assert (settings.memory_mb, settings.threads) == (memory_mb, threads)


def test_elsewhere_there_is_a_thread_for_every_cpu_whatever_the_memory() -> None:
    settings = Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"})

    assert settings.threads == os.cpu_count()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def put(store: LocalStore, content: bytes) -> None:
    store.write(Location(SOURCE.bucket, SOURCE.key), content, media_type="image/jpeg")


def test_the_inspected_bytes_are_returned(store: LocalStore) -> None:
    put(store, INSPECTED)

    assert read_source(store, SOURCE) == INSPECTED


def test_a_deleted_photo_is_missing(store: LocalStore) -> None:
    with pytest.raises(SourceMissing, match=r"s3://photos/사진/cat 1\.jpg was deleted"):
        read_source(store, SOURCE)


class Refusing(LocalStore):
    """A store that raises one error for every read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, location: Location) -> bytes:  # noqa: ARG002
        raise self._error


REFUSALS: list[tuple[Exception, type[Exception], str]] = [
    (ObjectArchived("it is archived in GLACIER"), SourceArchived, "it is archived in GLACIER"),
    (CustomerKeyRequired("no"), SourceForbidden, r"cat 1\.jpg is encrypted with a customer-prov"),
    (KeyUnusable("it is disabled"), KeyUnusable, "it is disabled"),
    (StoreUnavailable("later"), StoreUnavailable, "later"),
    (AccessDenied("no"), AccessDenied, "no"),
]


@pytest.mark.parametrize(("raised", "named", "message"), REFUSALS)
def test_a_photo_that_cannot_be_read_says_why(
    raised: Exception, named: type[Exception], message: str
) -> None:
    with pytest.raises(named, match=message):
        read_source(Refusing(raised), SOURCE)


@pytest.mark.parametrize("content", [b"", b"the photo as it is!", INSPECTED + b"\0"])
def test_a_photo_with_other_bytes_has_changed(store: LocalStore, content: bytes) -> None:
    put(store, content)

    with pytest.raises(SourceChanged, match=r"s3://photos/사진/cat 1\.jpg was replaced"):
        read_source(store, SOURCE)
