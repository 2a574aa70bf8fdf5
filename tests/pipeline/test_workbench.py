"""A workbench has its settings from the environment, and reads the bytes that were inspected."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline import hardware
from pipeline.artifacts import (
    AccessDenied,
    CustomerKeyRequired,
    LocalStore,
    Location,
    ObjectArchived,
)
from pipeline.aws.s3 import S3Store
from pipeline.contracts.contract import SourcePhoto
from pipeline.errors import (
    KeyUnusable,
    SourceArchived,
    SourceChanged,
    SourceForbidden,
    SourceMissing,
    StoreUnavailable,
)
from pipeline.workbench import Settings, read_source, require_latest

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


def test_a_function_of_another_memory_has_its_own_threads() -> None:
    on_lambda = {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "10240"
    }  # fmt: skip

    assert Settings.from_environment(on_lambda).threads_with(2048) == 1
    assert Settings.from_environment({"MATTELINE_THREADS": "3"}).threads_with(2048) == 3


def test_on_lambda_no_other_setting_changes_the_number_of_threads() -> None:
    environment = ON_LAMBDA | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3538", "MATTELINE_THREADS": "9"}

    assert Settings.from_environment(environment).threads == 2


def test_elsewhere_there_is_a_thread_for_every_cpu_whatever_the_memory() -> None:
    settings = Settings.from_environment({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"})

    assert settings.threads == Settings().threads == hardware.cores()


def test_the_local_cloud_says_how_many_threads_a_call_has() -> None:
    assert Settings.from_environment({"MATTELINE_THREADS": "3"}).threads == 3


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


@pytest.fixture
def s3(cloud: Any) -> Any:
    """S3 with a versioned bucket called `photos`."""
    backends, client = cloud
    backends.reset()
    client.create_bucket(Bucket=SOURCE.bucket)
    client.put_bucket_versioning(
        Bucket=SOURCE.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    return client


def uploaded(
    s3: Any, content: bytes = INSPECTED, metadata: Mapping[str, str] | None = None
) -> SourcePhoto:
    """Upload a photo; return it as an inspection describes it."""
    stored = s3.put_object(
        Bucket=SOURCE.bucket, Key=SOURCE.key, Body=content, Metadata=metadata or {}
    )
    facts = {"version_id": stored["VersionId"], "etag": stored["ETag"].strip('"')}
    return SOURCE.model_copy(update=facts)


def test_a_photo_that_is_still_there_is_the_latest(s3: Any) -> None:
    require_latest(S3Store(s3), uploaded(s3))


def test_a_photo_in_an_unversioned_bucket_is_the_latest(store: LocalStore) -> None:
    put(store, INSPECTED)
    inspected = SOURCE.model_copy(update={"etag": store.stat(SOURCE.location).etag})

    require_latest(store, inspected)


def test_a_photo_that_was_replaced_is_not_the_latest(s3: Any) -> None:
    inspected = uploaded(s3)
    uploaded(s3, b"another photo")

    with pytest.raises(SourceChanged, match="was replaced before its result was published"):
        require_latest(S3Store(s3), inspected)


def test_a_photo_that_was_deleted_is_missing_though_its_version_is_there(s3: Any) -> None:
    inspected = uploaded(s3)
    s3.delete_object(Bucket=SOURCE.bucket, Key=SOURCE.key)

    with pytest.raises(SourceMissing, match="was deleted before its result was published"):
        require_latest(S3Store(s3), inspected)


def test_a_photo_that_was_put_back_is_the_latest_again(s3: Any) -> None:
    inspected = uploaded(s3)
    uploaded(s3, b"another photo")
    uploaded(s3)

    require_latest(S3Store(s3), inspected)


def test_the_same_bytes_under_another_etag_are_the_same_photo(s3: Any) -> None:
    """Encryption and multipart uploads change an ETag."""
    inspected = uploaded(s3).model_copy(update={"etag": "that of another encryption"})
    uploaded(s3)

    require_latest(S3Store(s3), inspected)


@pytest.mark.parametrize("other", [{}, {"matteline-crop": "false"}])
def test_the_same_bytes_with_other_options_are_another_request(
    s3: Any, other: dict[str, str]
) -> None:
    inspected = uploaded(s3, metadata={"matteline-crop": "true"})
    uploaded(s3, metadata=other)

    with pytest.raises(SourceChanged):
        require_latest(S3Store(s3), inspected)


def test_metadata_that_is_no_option_does_not_matter(s3: Any) -> None:
    inspected = uploaded(s3, metadata={"mtime": "1"})
    uploaded(s3, metadata={"mtime": "2"})

    require_latest(S3Store(s3), inspected)
