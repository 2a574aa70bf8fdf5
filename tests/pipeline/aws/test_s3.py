"""S3 has versions, metadata and media types, and its outages and denials raise named errors."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.artifacts import AccessDenied, Location
from pipeline.aws.s3 import S3Store
from pipeline.errors import StoreUnavailable
from tests.answers import Serve

PHOTO = Location("photos", "cat.jpg")
OPERATIONS: dict[str, Callable[[S3Store, Path], object]] = {
    "stat": lambda store, _: store.stat(PHOTO),
    "read": lambda store, _: store.read(PHOTO),
    "write": lambda store, _: store.write(PHOTO, b"bytes", media_type="image/jpeg"),
    "download": lambda store, path: store.download(PHOTO, path),
    "upload": lambda store, path: store.upload(path, PHOTO, sha256="00"),
    "stream": lambda store, _: list(store.stream(PHOTO)),
    "small upload": lambda store, _: store.begin(PHOTO).complete(),
    "large upload": lambda store, _: store.begin(PHOTO).write(bytes(2**24)),
    "conditional write": lambda store, _: store.write_if_unchanged(PHOTO, b"bytes", etag=None),
    "conditional delete": lambda store, _: store.delete_if_unchanged(PHOTO, etag="0"),
}
FROM_S3 = ["stat", "read", "download", "stream"]


@pytest.fixture
def client(s3: Any) -> Any:
    return s3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"bytes")
    return tmp_path / "file"


def put(client: Any, content: bytes, **options: Any) -> str:
    """Upload an object and return its version id."""
    answer = client.put_object(Bucket=PHOTO.bucket, Key=PHOTO.key, Body=content, **options)
    version: str = answer["VersionId"]
    return version


def test_every_version_can_be_read(client: Any, path: Path) -> None:
    old, new = (put(client, content) for content in (b"old", b"new!"))
    store = S3Store(client)
    store.download(PHOTO._replace(version_id=old), path)

    assert store.read(PHOTO) == b"new!"
    assert store.read(PHOTO._replace(version_id=old)) == b"old"
    assert store.stat(PHOTO).version_id == new
    assert store.stat(PHOTO._replace(version_id=old)).bytes == 3
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("operation", FROM_S3)
def test_a_deleted_object_is_missing(client: Any, path: Path, operation: str) -> None:
    put(client, b"bytes")
    client.delete_object(Bucket=PHOTO.bucket, Key=PHOTO.key)

    with pytest.raises(KeyError, match=PHOTO.uri):
        OPERATIONS[operation](S3Store(client), path)


def test_an_unknown_version_is_missing(client: Any) -> None:
    put(client, b"bytes")

    with pytest.raises(KeyError):
        S3Store(client).read(PHOTO._replace(version_id="00000000-0000-0000-0000-000000000000"))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_bucket_is_a_key_error(client: Any, path: Path, operation: str) -> None:
    client.delete_bucket(Bucket=PHOTO.bucket)

    with pytest.raises(KeyError, match=PHOTO.uri):
        OPERATIONS[operation](S3Store(client), path)


def test_metadata_is_known_without_reading(client: Any) -> None:
    put(client, b"bytes", Metadata={"matteline-crop": "true"})

    assert S3Store(client).stat(PHOTO).metadata == {"matteline-crop": "true"}


def test_a_store_connects_with_the_environments_settings(client: Any) -> None:
    put(client, b"bytes")

    assert S3Store.connect().read(PHOTO) == b"bytes"


def test_a_written_object_has_its_media_type(client: Any) -> None:
    S3Store(client).write(PHOTO, b"bytes", media_type="image/webp")

    head = client.head_object(Bucket=PHOTO.bucket, Key=PHOTO.key)
    assert head["ContentType"] == "image/webp"


def explained(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "fault", [(503, "SlowDown"), (500, "InternalError"), (503, "ServiceUnavailable")]
)
def test_a_server_fault_is_an_outage(
    reached: Any, serve: Serve, path: Path, operation: str, fault: tuple[int, str]
) -> None:
    status, code = fault
    store = reached(serve(status, explained(code)))

    with pytest.raises(StoreUnavailable, match=PHOTO.uri):
        OPERATIONS[operation](store, path)


@pytest.mark.parametrize("operation", ["read", "write", "upload"])
@pytest.mark.parametrize("code", ["RequestTimeout", "Throttling", "RequestLimitExceeded"])
def test_throttling_is_an_outage(
    reached: Any, serve: Serve, path: Path, operation: str, code: str
) -> None:
    store = reached(serve(400, explained(code)))

    with pytest.raises(StoreUnavailable, match=code):
        OPERATIONS[operation](store, path)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refused_connection_is_an_outage(reached: Any, path: Path, operation: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(StoreUnavailable, match=f"S3 did not answer for {PHOTO.uri}"):
        OPERATIONS[operation](reached(port), path)


@pytest.mark.parametrize("operation", [*FROM_S3, "write"])
def test_no_response_is_an_outage(reached: Any, path: Path, operation: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        store = reached(server.getsockname()[1])

        with pytest.raises(StoreUnavailable, match=f"S3 did not answer for {PHOTO.uri}"):
            OPERATIONS[operation](store, path)


@pytest.mark.parametrize("operation", ["read", "download"])
def test_a_truncated_response_is_an_outage(
    reached: Any, serve: Serve, path: Path, operation: str
) -> None:
    store = reached(serve(200, b"half", length=8))

    with pytest.raises(StoreUnavailable, match=f"S3 did not answer for {PHOTO.uri}"):
        OPERATIONS[operation](store, path)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_denied_request_is_neither_missing_nor_an_outage(
    reached: Any, serve: Serve, path: Path, operation: str
) -> None:
    store = reached(serve(403, explained("AccessDenied")))

    with pytest.raises(AccessDenied, match=rf"S3 answered (403|AccessDenied) for {PHOTO.uri}"):
        OPERATIONS[operation](store, path)
