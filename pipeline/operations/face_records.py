"""Have the vectors of photos' faces made: upload photos, run `faces`, and wait for its records."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipeline.artifacts import Location
from pipeline.contracts.output_keys import output_stem
from pipeline.operations.executions import start_named
from pipeline.operations.following import Followed, failure_of, follow, result_of
from pipeline.operations.jobs_table import DONE, RUNNING
from pipeline.operations.lookup import read_record
from pipeline.operations.site import Site
from pipeline.outcomes import Failure, JobTimedOut

PRODUCT: Final = "faces"
_POLL_S: Final = 0.5
_PATIENCE_S: Final = 1_800.0  # the first photo may wait until its models are staged
_UNKNOWN_S: Final = 10.0  # DescribeExecution may not know a new execution yet


class Recorded(NamedTuple):
    """The key of a photo's output record in the output bucket, or why there is none.

    `vectors` counts the faces that are large and clear enough.
    """

    record: str | None
    vectors: int = 0
    failure: Failure | None = None


def upload_photo(site: Site, path: Path, key: str, model: str) -> Location:
    """Put a photo into the ingest bucket, with the wish to have its faces' vectors made.

    Without that, the upload would become a cutout. The same bytes are not sent twice. Raises
    OSError if the file cannot be read.
    """
    place = Location(site.names.bucket("ingest"), key)
    with path.open("rb") as file:
        digest = base64.b64encode(hashlib.file_digest(file, "sha256").digest()).decode()
        stored = _latest(site, place)
        if stored.get("ChecksumSHA256") != digest:
            file.seek(0)
            wanted = {"product": PRODUCT, **_texts(_options(model))}
            stored = site.client("s3").put_object(
                Bucket=place.bucket,
                Key=key,
                Body=file,
                ChecksumAlgorithm="SHA256",
                Metadata={f"matteline-{name}": text for name, text in wanted.items()},
            )
    return place._replace(version_id=stored.get("VersionId"))


def delete_upload(site: Site, place: Location) -> None:
    """Delete an uploaded version for good; `forget-photo` then deletes what was made of it."""
    version = {"VersionId": place.version_id} if place.version_id else {}
    site.client("s3").delete_object(Bucket=place.bucket, Key=place.key, **version)


def embed_photo(
    site: Site, place: Location, model: str, leaving: threading.Event | None = None
) -> Recorded:
    """Return the record of the latest object at `place`, with vectors of this model.

    One that is there already is taken; else `faces` runs, and is awaited until `leaving` is set.
    """
    stem = output_stem(place.key)
    suffix = next(each.record for each in site.products if each.name == PRODUCT)
    record = f"{stem}{suffix}"
    told = read_record(site, f"s3://{site.names.bucket('output')}/{record}") or {}
    if _is_of(told, place._replace(version_id=_latest(site, place).get("VersionId")), model):
        return Recorded(record, told["embedded"])
    name = f"embed-{secrets.token_hex(12)}"
    wanted: Any = {"bucket": place.bucket, "key": place.key, "options": _options(model)}
    start_named(site, PRODUCT, name, wanted)
    followed = _awaited(site, name, leaving or threading.Event())
    if followed is None:
        return Recorded(
            None, failure=Failure(JobTimedOut.__name__, "the job of its faces did not end")
        )
    row = followed.row
    if row and row.status == DONE and row.product != PRODUCT:
        return Recorded(None, failure=Failure("OtherMedia", "it is not a photo"))
    if row and row.status == DONE and (result := result_of(site, followed)):
        return Recorded(result.record.key, result.stated.get("embedded") or 0)
    if followed.state == "DUPLICATE":  # of a job that failed meanwhile
        followed = replace(followed, execution=None)
    return Recorded(None, failure=failure_of(site, followed))


def _options(model: str) -> dict[str, Any]:
    return {"embed": True, "embedder": model}


def _texts(options: dict[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if value is True else value for name, value in options.items()}


def _is_of(record: dict[str, Any], place: Location, model: str) -> bool:
    """Return True if a record is of this version of an object, with vectors of this model."""
    source = record.get("source", {})
    same = (source.get("bucket"), source.get("key")) == (place.bucket, place.key)
    same &= place.version_id is not None and source.get("version_id") == place.version_id
    embeds = record.get("options", {}).get("embed") is True
    return same and embeds and record.get("embedder") == model


def _latest(site: Site, place: Location) -> dict[str, Any]:
    """Return what S3 says of the latest object; nothing if it cannot be read."""
    s3 = site.client("s3")
    try:
        told: dict[str, Any] = s3.head_object(
            Bucket=place.bucket, Key=place.key, ChecksumMode="ENABLED"
        )
    except s3.exceptions.ClientError:
        return {}  # what is wrong, the upload or the job says
    return told


def _awaited(site: Site, name: str, leaving: threading.Event) -> Followed | None:
    """Follow an execution to the end of its job, which another execution may have claimed."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < _PATIENCE_S:
        followed = follow(site, name, owner="", visible="")
        if followed is None and passed > _UNKNOWN_S:
            return None
        if followed and followed.ended and (not followed.row or followed.row.status != RUNNING):
            return followed
        if leaving.wait(_POLL_S):
            break
    return None
