"""Artifacts in S3: the one place outside the local cloud that knows boto3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from boto3.exceptions import RetriesExceededError, S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnection

from pipeline.artifacts import Artifact, Location, Stat
from pipeline.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MISSING: Final = {"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket"}
_THROTTLED: Final = {
    "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout",
}  # fmt: skip
_NO_ANSWER: Final = (HTTPClientError, NoConnection, IncompleteReadError, RetriesExceededError)
_BAD_REQUEST: Final = 400
_SERVER_FAULT: Final = 500


class S3Store:
    """An `ArtifactStore` over S3. Short retries here; long ones belong to the state machine."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> S3Store:
        """Use the credentials, region and endpoint of the environment."""
        retries = {"mode": "standard", "total_max_attempts": 3}
        config = Config(connect_timeout=5, read_timeout=60, retries=retries)  # type: ignore[arg-type]
        return cls(boto3.client("s3", config=config))

    def stat(self, location: Location) -> Stat:
        with _named_errors(location):
            head = self._client.head_object(**_address(location))  # type: ignore[arg-type]
        etag = head["ETag"].strip('"')
        return Stat(head["ContentLength"], etag, head.get("VersionId"), head["Metadata"])

    def read(self, location: Location) -> bytes:
        with _named_errors(location):
            answer = self._client.get_object(**_address(location))  # type: ignore[arg-type]
            return answer["Body"].read()

    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact:
        with _named_errors(location):
            self._client.put_object(
                Bucket=location.bucket, Key=location.key, Body=content, ContentType=media_type
            )
        sha256 = hashlib.sha256(content).hexdigest()
        return Artifact(uri=location.uri, sha256=sha256, bytes=len(content))

    def download(self, location: Location, path: Path) -> None:
        with _named_errors(location):
            bucket, key, version_id = location
            extra = {"VersionId": version_id} if version_id is not None else {}
            self._client.download_file(bucket, key, str(path), ExtraArgs=extra)

    def upload(self, path: Path, location: Location, *, sha256: str) -> Artifact:
        with _named_errors(location), _unwrapped():
            self._client.upload_file(str(path), location.bucket, location.key)
        return Artifact(uri=location.uri, sha256=sha256, bytes=path.stat().st_size)


def _address(location: Location) -> dict[str, str]:
    address = {"Bucket": location.bucket, "Key": location.key}
    if location.version_id is not None:
        address["VersionId"] = location.version_id
    return address


@contextmanager
def _named_errors(location: Location) -> Iterator[None]:
    """Missing objects as KeyError, outages and throttles as StoreUnavailable, the rest as bugs."""
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
        raise
    except _NO_ANSWER as error:
        raise StoreUnavailable(f"S3 did not answer for {location.uri}: {error}") from error


@contextmanager
def _unwrapped() -> Iterator[None]:
    """boto3 hides S3's answer to an upload behind an error of its own; let the answer through."""
    try:
        yield
    except S3UploadFailedError as error:
        raise error.__context__ or error from None
