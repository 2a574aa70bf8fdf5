"""Translate errors of S3 and boto3 to those that an `ArtifactStore` raises.

S3's codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. A code that begins
with `KMS.` is about the key that encrypts the object, and is an error of KMS's operation Decrypt or
GenerateDataKey.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from boto3.exceptions import RetriesExceededError, S3UploadFailedError
from botocore.exceptions import (
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as NoConnection
from s3transfer.exceptions import S3DownloadFailedError

from pipeline.artifacts import (
    AccessDenied,
    CustomerKeyRequired,
    Location,
    ObjectArchived,
    ObjectChanged,
)
from pipeline.errors import KeyUnusable, StoreUnavailable

# ClientError stands for errors that pass unchanged: our credentials are wrong.
MEANINGS: Final[Mapping[type[Exception], tuple[str, ...]]] = {
    KeyError: (
        "404", "NoSuchBucket", "NoSuchKey", "NoSuchVersion",
        "MethodNotAllowed",  # the version is a delete marker
        "InvalidBucketName", "KeyTooLongError",  # no such object can exist
    ),
    StoreUnavailable: (
        "BandwidthLimitExceeded", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "Throttling", "ThrottlingException",
        "TooManyRequestsException", "KMS.ThrottlingException",
        "ConditionalRequestConflict", "InternalError", "OperationAborted", "RequestTimeout",
        "RequestTimeoutException", "ServiceUnavailable", "KMS.DependencyTimeoutException",
        "KMS.KMSInternalException", "KMS.KeyUnavailableException",
        "TemporaryRedirect",  # S3 creates the bucket's DNS entry
        "ExpiredToken", "RequestTimeTooSkewed", "TokenRefreshRequired",
        "BadDigest", "IncompleteBody", "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",  # an upload was damaged on its way
        "InvalidRange", "PreconditionFailed",  # the object was replaced while it was being read
    ),
    AccessDenied: (
        "AccessDenied", "AllAccessDisabled", "InvalidPayer", "KMS.AccessDeniedException",
        # The bucket is in another region, and boto3 could not follow it there.
        "301", "IllegalLocationConstraintException", "PermanentRedirect",
    ),
    ObjectArchived: ("InvalidObjectState",),
    ClientError: ("InvalidAccessKeyId", "InvalidSecurity", "SignatureDoesNotMatch"),
}  # fmt: skip

# For codes with several meanings: a text that the message has, in lower case.
MEANINGS_BY_TEXT: Final[Mapping[tuple[str, str], type[Exception]]] = {
    ("AuthorizationHeaderMalformed", "region"): AccessDenied,
    ("InvalidArgument", "version id"): KeyError,
    ("InvalidRequest", "server side encryption"): CustomerKeyRequired,
}

_BY_CODE: Final = {code: meaning for meaning, codes in MEANINGS.items() for code in codes}
_LOST_RACE: Final = {
    "PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "NoSuchUpload",
}  # fmt: skip
_NO_ANSWER: Final = (
    FlexibleChecksumError, HTTPClientError, IncompleteReadError, NoConnection,
    RetriesExceededError, S3DownloadFailedError,
    RecursionError,  # boto3 follows redirects that name no region, without end
)  # fmt: skip
_DENIED: Final = {401, 403}
_NOT_MODIFIED: Final = "304"
_THROTTLED: Final = 429
_SERVER_FAULT: Final = 500


@contextmanager
def named_errors(location: Location) -> Iterator[None]:
    """Raise what S3's answer means; other errors, which are bugs, pass.

    Raises KeyError, StoreUnavailable, AccessDenied, ObjectArchived, CustomerKeyRequired or
    KeyUnusable.
    """
    try:
        yield
    except ClientError as error:
        meaning = _meaning(error)
        if meaning is ClientError:
            raise
        said = location.uri if meaning is KeyError else _said(error, location)
        raise meaning(said) from error
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
def same_etags() -> Iterator[None]:
    """Ignore S3's answer that the object still has the ETag that the request knows."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != _NOT_MODIFIED:
            raise


@contextmanager
def named_changes(location: Location) -> Iterator[None]:
    """Raise ObjectChanged for S3's error that the object has another ETag than the request asks."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        raise ObjectChanged(_said(error, location)) from error


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raise S3's own error from an upload, which boto3 wraps in S3UploadFailedError."""
    try:
        yield
    except S3UploadFailedError as error:
        raise error.__context__ or error from None


def _meaning(error: ClientError) -> type[Exception]:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if code in _BY_CODE:
        return _BY_CODE[code]
    for (coded, text), meaning in MEANINGS_BY_TEXT.items():
        if code == coded and text in message.lower():
            return meaning
    if status == _THROTTLED or status >= _SERVER_FAULT:
        return StoreUnavailable
    if code.startswith("KMS."):
        return KeyUnusable
    return AccessDenied if status in _DENIED else ClientError


def _said(error: ClientError, location: Location) -> str:
    """Return what S3 answered, and what it says of the object's class and the bucket's region."""
    told: dict[str, Any] = dict(error.response["Error"])
    headers = error.response["ResponseMetadata"].get("HTTPHeaders", {})
    tier = told.get("AccessTier") or told.get("StorageClass")
    region = told.get("Region") or headers.get("x-amz-bucket-region")
    said = f"S3 answered {told['Code']} for {location.uri}: {told.get('Message', '')}"
    said += f" (it is archived in {tier})" if tier else ""
    return said + (f" (its bucket is in {region})" if region else "")
