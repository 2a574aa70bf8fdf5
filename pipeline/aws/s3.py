"""Store artifacts in S3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from pipeline.artifacts import CHUNK_BYTES, Artifact, Content, Listed, Location, Stat, Upload
from pipeline.aws.s3_archives import archive_of
from pipeline.aws.s3_errors import (
    lost_races,
    named_changes,
    named_errors,
    same_etags,
    unwrapped,
)
from pipeline.aws.s3_versions import erase_versions
from pipeline.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_PART_BYTES: Final = 16 * 2**20  # S3 allows 10,000 parts: 156 GiB
_MISSING: Final = "404"
_SERVER_FAULT: Final = 500


class S3Store:
    """An `ArtifactStore` in S3. Retries briefly; the state machine retries for longer."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> S3Store:
        """Use the credentials, region and endpoint of the environment."""
        retries = {"mode": "standard", "total_max_attempts": 3}
        config = Config(connect_timeout=5, read_timeout=60, retries=retries)  # type: ignore[arg-type]
        return cls(boto3.client("s3", config=config))

    def stat(self, location: Location) -> Stat:
        with named_errors(location), self._explained(location):
            head = self._client.head_object(**_address(location))  # type: ignore[arg-type]
        etag = head["ETag"].strip('"')
        version_id, metadata = head.get("VersionId"), head["Metadata"]
        return Stat(head["ContentLength"], etag, version_id, metadata, archive_of(head))

    def read(self, location: Location) -> bytes:
        with named_errors(location):
            answer = self._client.get_object(**_address(location))  # type: ignore[arg-type]
            return answer["Body"].read()

    def read_range(self, location: Location, start: int, count: int, *, etag: str) -> bytes:
        wanted = {"Range": f"bytes={start}-{start + count - 1}", "IfMatch": f'"{etag}"'}
        with named_errors(location), named_changes(location):
            answer = self._client.get_object(**_address(location), **wanted)  # type: ignore[arg-type]
            return answer["Body"].read()

    def read_if_changed(self, location: Location, *, etag: str | None) -> Content | None:
        condition = {} if etag is None else {"IfNoneMatch": f'"{etag}"'}
        with named_errors(location), same_etags():
            answer = self._client.get_object(**_address(location), **condition)  # type: ignore[arg-type]
            return Content(answer["Body"].read(), answer["ETag"].strip('"'))
        return None

    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact:
        with named_errors(location):
            self._client.put_object(
                Bucket=location.bucket, Key=location.key, Body=content, ContentType=media_type
            )
        sha256 = hashlib.sha256(content).hexdigest()
        return Artifact(uri=location.uri, sha256=sha256, bytes=len(content))

    def download(self, location: Location, path: Path) -> None:
        with named_errors(location), self._explained(location):
            bucket, key, version_id = location
            extra = {"VersionId": version_id} if version_id is not None else {}
            self._client.download_file(bucket, key, str(path), ExtraArgs=extra)

    def upload(self, path: Path, location: Location, *, sha256: str) -> Artifact:
        with named_errors(location), unwrapped():
            self._client.upload_file(str(path), location.bucket, location.key)
        return Artifact(uri=location.uri, sha256=sha256, bytes=path.stat().st_size)

    def stream(self, location: Location) -> Iterator[bytes]:
        with named_errors(location):
            answer = self._client.get_object(**_address(location))  # type: ignore[arg-type]
            yield from answer["Body"].iter_chunks(CHUNK_BYTES)

    def begin(self, location: Location) -> Upload:
        return _MultipartUpload(self._client, location)

    def write_if_unchanged(
        self, location: Location, content: bytes, *, etag: str | None
    ) -> str | None:
        bucket, key, _ = location
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": f'"{etag}"'}
        with named_errors(location), lost_races():
            answer = self._client.put_object(Bucket=bucket, Key=key, Body=content, **condition)  # type: ignore[arg-type]
            return answer["ETag"].strip('"')
        return None

    def delete_if_unchanged(self, location: Location, *, etag: str) -> None:
        with named_errors(location), lost_races():
            bucket, key, _ = location
            self._client.delete_object(Bucket=bucket, Key=key, IfMatch=f'"{etag}"')

    def listing(self, prefix: Location, *, after: str = "") -> Iterator[Listed]:
        pages = self._client.get_paginator("list_objects_v2")
        with named_errors(prefix):
            for page in pages.paginate(Bucket=prefix.bucket, Prefix=prefix.key, StartAfter=after):
                for row in page.get("Contents", ()):
                    place = Location(prefix.bucket, row["Key"])
                    yield Listed(place, row["Size"], row["LastModified"])

    def erase(self, location: Location) -> int:
        return erase_versions(self._client, location, lambda key: key == location.key)

    def erase_below(self, prefix: Location, *, ending: str = "") -> int:
        return erase_versions(self._client, prefix, lambda key: key.endswith(ending))

    @contextmanager
    def _explained(self, location: Location) -> Iterator[None]:
        """Raise S3's error with its code: the answer to a HEAD has none, so send a GET as well."""
        try:
            yield
        except ClientError as error:
            status = error.response["Error"]["Code"]
            if not status.isdigit() or status == _MISSING or int(status) >= _SERVER_FAULT:
                raise
            self._client.get_object(**_address(location), Range="bytes=0-0")["Body"].close()  # type: ignore[arg-type]
            raise StoreUnavailable(
                f"S3 answered {status} to a HEAD of {location.uri}, and then accepted a GET"
            ) from error


class _MultipartUpload:
    """An upload in parts of 16 MiB. Content smaller than one part is uploaded by one PutObject."""

    def __init__(self, client: S3Client, location: Location) -> None:
        self._client = client
        self._location = location
        self._buffer = bytearray()
        self._parts: list[CompletedPartTypeDef] = []
        self._upload_id: str | None = None

    def write(self, content: bytes) -> None:
        self._buffer += content
        while len(self._buffer) >= _PART_BYTES:
            self._send(bytes(self._buffer[:_PART_BYTES]))
            del self._buffer[:_PART_BYTES]

    def complete(self) -> None:
        bucket, key, _ = self._location
        with named_errors(self._location):
            if self._upload_id is None:
                self._client.put_object(Bucket=bucket, Key=key, Body=bytes(self._buffer))
                return
            if self._buffer:
                self._send(bytes(self._buffer))
            self._client.complete_multipart_upload(
                Bucket=bucket,
                Key=key,
                UploadId=self._upload_id,
                MultipartUpload={"Parts": self._parts},
            )
        self._upload_id = None

    def abort(self) -> None:
        if self._upload_id is not None:
            bucket, key, _ = self._location
            with named_errors(self._location), lost_races():
                self._client.abort_multipart_upload(
                    Bucket=bucket, Key=key, UploadId=self._upload_id
                )
            self._upload_id = None

    def _send(self, part: bytes) -> None:
        bucket, key, _ = self._location
        number = len(self._parts) + 1
        with named_errors(self._location):
            if self._upload_id is None:
                begun = self._client.create_multipart_upload(Bucket=bucket, Key=key)
                self._upload_id = begun["UploadId"]
            sent = self._client.upload_part(
                Bucket=bucket, Key=key, UploadId=self._upload_id, PartNumber=number, Body=part
            )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


def _address(location: Location) -> dict[str, str]:
    address = {"Bucket": location.bucket, "Key": location.key}
    if location.version_id is not None:
        address["VersionId"] = location.version_id
    return address
