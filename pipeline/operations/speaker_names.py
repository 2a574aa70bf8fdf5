"""Store the names that users give to speakers, next to the transcript's output record.

The names of `talk_transcript.record.json` are in `talk_transcript.names.json`. The file states its
job, because another job's record may replace the one that the names were given for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pipeline.artifacts import Location
from pipeline.operations.site import Site

NO_NAMES: Final = "none"  # the version of a file that does not exist
_RECORD: Final = ".record.json"
_NAMES: Final = ".names.json"
_MOST_BYTES: Final = 2**16  # of a file; twenty names take a tenth of that
_CHANGED: Final = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}


class Names(NamedTuple):
    """The names of one job's speakers. `version` is the file's, even if it is another job's."""

    version: str
    job_id: str | None
    names: Mapping[str, str]


class NamesChanged(Exception):
    """Somebody else has written the names since they were read."""


def names_place(manifest: str) -> Location:
    """Return where the names of an output record are. Raises ValueError for other products."""
    if not manifest.endswith(_RECORD):
        raise ValueError(f"{manifest} is not the record of a transcript")
    return Location.parse(f"{manifest.removesuffix(_RECORD)}{_NAMES}")


def read_names(site: Site, manifest: str, job_id: str) -> Names:
    """Read the names of a job's speakers. Another job's names are left out."""
    place, s3 = names_place(manifest), site.client("s3")
    try:
        answer = s3.get_object(Bucket=place.bucket, Key=place.key)
    except s3.exceptions.NoSuchKey:
        return Names(NO_NAMES, None, {})
    version = str(answer["ETag"]).strip('"')
    written = _parse(answer["Body"].read(_MOST_BYTES))
    owner = written.get("job_id")
    own = written["names"] if owner == job_id else {}
    return Names(version, owner, own)


def write_names(
    site: Site, manifest: str, job_id: str, names: Mapping[str, str], *, version: str
) -> str:
    """Replace the names if the file still has this version; return its new version.

    Raises NamesChanged if it has another one.
    """
    place, s3 = names_place(manifest), site.client("s3")
    condition = {"IfNoneMatch": "*"} if version == NO_NAMES else {"IfMatch": f'"{version}"'}
    written = {"schema": 1, "job_id": job_id, "names": dict(names)}
    try:
        answer = s3.put_object(
            Bucket=place.bucket,
            Key=place.key,
            Body=json.dumps(written, ensure_ascii=False).encode(),
            ContentType="application/json",
            **condition,
        )
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in _CHANGED:
            raise
        raise NamesChanged(f"{place.uri} has changed") from error
    return str(answer["ETag"]).strip('"')


def delete_names(site: Site, manifest: str, job_id: str) -> Location | None:
    """Delete the names of a job's speakers; return where they were. Another job's names stay."""
    if not manifest.endswith(_RECORD):
        return None
    if read_names(site, manifest, job_id).job_id != job_id:
        return None
    place = names_place(manifest)
    site.client("s3").delete_object(Bucket=place.bucket, Key=place.key)
    return place


def _parse(content: bytes) -> dict[str, Any]:
    """Return the content of the file; empty if it does not have this form."""
    try:
        written = json.loads(content)
    except (RecursionError, ValueError):
        return {}
    match written:
        case {"job_id": str(), "names": dict(names)}:
            texts = all(isinstance(text, str) for text in names.values())
            return written if texts else {}
        case _:
            return {}
