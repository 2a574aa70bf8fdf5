"""Delete objects of S3 for good: every version and every delete marker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from pipeline.artifacts import AccessDenied, Location
from pipeline.aws.s3_errors import named_errors
from pipeline.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_BATCH: Final = 1000  # S3's limit
_DENIED: Final = "AccessDenied"


def erase_versions(client: S3Client, prefix: Location, wanted: Callable[[str], bool]) -> int:
    """Delete all versions of the wanted keys below a prefix; return how many keys there were.

    A bucket without versions lists each object as its version `null`. Raises AccessDenied or
    StoreUnavailable if S3 deletes something else than all of them.
    """
    with named_errors(prefix):
        # All are listed first: pages that go on after a version need it to be there.
        found = list(_versions(client, prefix, wanted))
        for start in range(0, len(found), _BATCH):
            batch = found[start : start + _BATCH]
            answer = client.delete_objects(
                Bucket=prefix.bucket, Delete={"Objects": batch, "Quiet": True}
            )
            if codes := {error.get("Code", "") for error in answer.get("Errors", ())}:
                said = f"S3 did not delete all of {prefix.uri}: {', '.join(sorted(codes))}"
                raise AccessDenied(said) if _DENIED in codes else StoreUnavailable(said)
    return len({each["Key"] for each in found})


def _versions(
    client: S3Client, prefix: Location, wanted: Callable[[str], bool]
) -> Iterator[ObjectIdentifierTypeDef]:
    pages = client.get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=prefix.bucket, Prefix=prefix.key):
        for row in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            if wanted(row["Key"]):
                yield {"Key": row["Key"], "VersionId": row["VersionId"]}
