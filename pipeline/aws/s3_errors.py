"""What S3 and boto3 call an error, by the names an `ArtifactStore` has for it."""

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
_REFUSED: Final = {401, 403}
_SERVER_FAULT: Final = 500


@contextmanager
def named_errors(location: Location) -> Iterator[None]:
    """Raise what an `ArtifactStore` does; whatever has no name there is a bug, and stays."""
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
        if status in _REFUSED:
            raise AccessDenied(f"S3 answered {code} for {location.uri}") from error
        raise
    except _NO_ANSWER as error:
        raise StoreUnavailable(f"S3 did not answer for {location.uri}: {error}") from error


@contextmanager
def lost_races() -> Iterator[None]:
    """Leave quietly where S3 says that it is not the expected object, or not there any more."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _LOST_RACE:
            raise


@contextmanager
def unwrapped() -> Iterator[None]:
    """boto3 hides S3's answer to an upload behind an error of its own; let the answer through."""
    try:
        yield
    except S3UploadFailedError as error:
        raise error.__context__ or error from None
