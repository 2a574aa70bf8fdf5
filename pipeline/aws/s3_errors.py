"""Translate errors of S3 and boto3 to those that an `ArtifactStore` raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from boto3.exceptions import RetriesExceededError, S3UploadFailedError
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnection

from pipeline.artifacts import AccessDenied, Location
from pipeline.errors import StoreUnavailable

_MISSING: Final = {"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket"}
_THROTTLED: Final = {
    "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout",
}  # fmt: skip
_LOST_RACE: Final = {
    "PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "NoSuchUpload",
}  # fmt: skip
_NO_ANSWER: Final = (HTTPClientError, NoConnection, IncompleteReadError, RetriesExceededError)
_BAD_REQUEST: Final = 400
_DENIED: Final = {401, 403}
_SERVER_FAULT: Final = 500


@contextmanager
def named_errors(location: Location) -> Iterator[None]:
    """Raise KeyError, StoreUnavailable or AccessDenied; other errors, which are bugs, pass."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        malformed_version = location.version_id is not None and status == _BAD_REQUEST
        if code in _MISSING or malformed_version:
            raise KeyError(location.uri) from error
        if code in _THROTTLED or status >= _SERVER_FAULT:
            raise StoreUnavailable(f"S3 answered {code} for {location.uri}") from error
        if status in _DENIED:
            raise AccessDenied(f"S3 answered {code} for {location.uri}") from error
        raise
    except _NO_ANSWER as error:
        raise StoreUnavailable(f"S3 did not answer for {location.uri}: {error}") from error


@contextmanager
def lost_races() -> Iterator[None]:
    """Ignore S3's error that the object has changed or was deleted: another writer was first."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _LOST_RACE:
            raise


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raise S3's own error from an upload, which boto3 wraps in S3UploadFailedError."""
    try:
        yield
    except S3UploadFailedError as error:
        raise error.__context__ or error from None
