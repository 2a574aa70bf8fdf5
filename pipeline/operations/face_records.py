"""Have the vectors of photos' faces made: upload photos, run `faces`, and wait for its records."""

from __future__ import annotations

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
    """The key of a photo's output record in the output bucket, or why there is none."""

    record: str | None
    failure: Failure | None = None


def upload_photo(site: Site, path: Path, key: str, model: str) -> Location:
    """Put a photo into the ingest bucket, with the wish to have its faces' vectors made.

    Without that, the upload would become a cutout. Raises OSError if the file cannot be read.
    """
    bucket = site.names.bucket("ingest")
    wanted = {"product": PRODUCT, **_texts(_options(model))}
    with path.open("rb") as file:
        stored = site.client("s3").put_object(
            Bucket=bucket,
            Key=key,
            Body=file,
            Metadata={f"matteline-{name}": text for name, text in wanted.items()},
        )
    return Location(bucket, key, stored.get("VersionId"))


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
    if _has_vectors(site, place, record, model):
        return Recorded(record)
    name = f"embed-{secrets.token_hex(12)}"
    wanted: Any = {"bucket": place.bucket, "key": place.key, "options": _options(model)}
    start_named(site, PRODUCT, name, wanted)
    followed = _awaited(site, name, leaving or threading.Event())
    if followed is None:
        return Recorded(None, Failure(JobTimedOut.__name__, "the job of its faces did not end"))
    row = followed.row
    if row and row.status == DONE and row.product != PRODUCT:
        return Recorded(None, Failure("OtherMedia", "it is not a photo"))
    if row and row.status == DONE and (result := result_of(site, followed)):
        return Recorded(result.record.key)
    if followed.state == "DUPLICATE":  # of a job that failed meanwhile
        followed = replace(followed, execution=None)
    return Recorded(None, failure_of(site, followed))


def _options(model: str) -> dict[str, Any]:
    return {"embed": True, "embedder": model}


def _texts(options: dict[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if value is True else value for name, value in options.items()}


def _has_vectors(site: Site, place: Location, record: str, model: str) -> bool:
    """Return True if the record is of the latest version of the object, with this model."""
    s3 = site.client("s3")
    try:
        latest = s3.head_object(Bucket=place.bucket, Key=place.key).get("VersionId")
    except s3.exceptions.ClientError:
        return False  # the job says what is wrong
    told = read_record(site, f"s3://{site.names.bucket('output')}/{record}") or {}
    source, options = told.get("source", {}), told.get("options", {})
    same = (source.get("bucket"), source.get("key")) == (place.bucket, place.key)
    made = options.get("embed") is True and told.get("embedder") == model
    return same and made and latest is not None and source.get("version_id") == latest


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
