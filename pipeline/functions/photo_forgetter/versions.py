"""List, read and delete versions of objects in S3."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pipeline.aws.outages import Unanswered

_BATCH: Final = 1000  # S3's limit
_BUSY: Final = frozenset({"InternalError", "ServiceUnavailable", "SlowDown"})
_CHUNK: Final = 2**20


class NotDeleted(Exception):
    """S3 refused to delete an object."""


@dataclass(frozen=True)
class Version:
    """A version of an object, or a delete marker. An object without versions has the id `null`.

    `written` is exact to the second.
    """

    key: str
    version_id: str
    latest: bool
    marker: bool
    written: datetime
    bytes: int = 0


def versions_of(s3: Any, bucket: str, key: str) -> list[Version]:  # noqa: ANN401 - boto3
    """Return the versions of an object, the newest first, and its delete markers."""
    found = []
    asked = {"Bucket": bucket, "Prefix": key}
    for page in s3.get_paginator("list_object_versions").paginate(**asked):
        rows = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        found += [_read(row) for row in rows if row["Key"] == key]
        if page.get("NextKeyMarker", key) != key:
            break  # keys are in order, and the object's own is the first
    return found


def latest_of(versions: Iterable[Version]) -> Version | None:
    """Return the latest version; None if there is none, or the object was deleted."""
    return next((each for each in versions if each.latest and not each.marker), None)


def read_json(s3: Any, bucket: str, version: Version) -> Mapping[str, Any]:  # noqa: ANN401 - boto3
    """Return the content of a version as a JSON object; empty if it is none."""
    answer = s3.get_object(Bucket=bucket, Key=version.key, VersionId=version.version_id)
    try:
        content = json.loads(answer["Body"].read())
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def sha256_of(s3: Any, bucket: str, version: Version) -> str:  # noqa: ANN401 - boto3
    """Return the SHA-256 of a version's bytes, which are never all in memory."""
    answer = s3.get_object(Bucket=bucket, Key=version.key, VersionId=version.version_id)
    digest = hashlib.sha256()
    for chunk in answer["Body"].iter_chunks(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def delete_versions(s3: Any, bucket: str, versions: list[Version]) -> int:  # noqa: ANN401 - boto3
    """Delete exactly these versions, in this order; return how many there were."""
    named = [{"Key": each.key, "VersionId": each.version_id} for each in versions]
    return _delete(s3, bucket, named)


def delete_below(s3: Any, bucket: str, prefix: str) -> int:  # noqa: ANN401 - boto3
    """Delete all objects of a bucket without versions whose keys begin with `prefix`."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [{"Key": row["Key"]} for page in pages for row in page.get("Contents", ())]
    return _delete(s3, bucket, keys)


def _delete(s3: Any, bucket: str, named: list[dict[str, str]]) -> int:  # noqa: ANN401 - boto3
    for batch in _batches(named):
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        if codes := {error["Code"] for error in answer.get("Errors", ())}:
            said = f"S3 did not delete everything in {bucket}: {', '.join(sorted(codes))}"
            raise Unanswered(said) if codes <= _BUSY else NotDeleted(said)
    return len(named)


def _batches(named: list[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    yield from (named[start : start + _BATCH] for start in range(0, len(named), _BATCH))


def _read(row: Mapping[str, Any]) -> Version:
    return Version(
        key=row["Key"],
        version_id=row["VersionId"],
        latest=row["IsLatest"],
        marker="ETag" not in row,
        written=row["LastModified"],
        bytes=row.get("Size", 0),
    )
