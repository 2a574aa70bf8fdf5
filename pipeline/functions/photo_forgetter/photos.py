"""Whether what was made of a photo goes: the photo is gone, or somebody in it was forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline.functions.photo_forgetter.rows import Row
from pipeline.functions.photo_forgetter.versions import Version, latest_of, sha256_of, versions_of


class Judge(Protocol):
    """Says which results are deleted, by their jobs' rows and by their output records."""

    def are_gone_since(self, row: Row) -> bool: ...

    def are_gone(self, source: Mapping[str, Any] | None) -> bool: ...


@dataclass(frozen=True)
class OfPhoto:
    """All that was made of one photo, in whatever version, as if the photo were gone."""

    bucket: str
    key: str

    def are_gone_since(self, row: Row) -> bool:
        return row.key == self.key

    def are_gone(self, source: Mapping[str, Any] | None) -> bool:
        return not source or (source["bucket"], source["key"]) == (self.bucket, self.key)


@dataclass(frozen=True)
class Photos:
    """The photos of the ingest bucket; each key is listed once."""

    s3: Any
    bucket: str
    listed: dict[str, list[Version]] = field(default_factory=dict)

    def are_gone_since(self, row: Row) -> bool:
        """Return True if no version is left that a row's job may have read.

        A row does not name the version, only the time when the row last changed.
        """
        versions = self._versions(row.key)
        return latest_of(versions) is None or not any(
            _stays(each, versions) for each in versions if each.written <= row.updated
        )

    def are_gone(self, source: Mapping[str, Any] | None) -> bool:
        """Return True if a record's source was deleted: its version, or all versions of its key.

        Another upload of the same bytes is the same photo. Photos in other buckets are never
        deleted from here, so their results stay.
        """
        if not source:
            return True
        if source["bucket"] != self.bucket:
            return False
        versions = self._versions(source["key"])
        latest = latest_of(versions)
        if latest is None:
            return True
        version_id = source["version_id"] or "null"
        if any(_stays(each, versions) for each in versions if each.version_id == version_id):
            return False
        return not self._is_copy(source, latest)

    def _is_copy(self, source: Mapping[str, Any], latest: Version) -> bool:
        """Compare bytes: an ETag depends on encryption and on upload parts."""
        if source["bytes"] != latest.bytes:
            return False
        return bool(sha256_of(self.s3, self.bucket, latest) == source["sha256"])

    def _versions(self, key: str) -> list[Version]:
        if key not in self.listed:
            self.listed[key] = versions_of(self.s3, self.bucket, key)
        return self.listed[key]


def _stays(version: Version, versions: Sequence[Version]) -> bool:
    """Return False for a delete marker, and for a version that one deleted.

    A replaced version stays. If a delete marker is as old as a version, to the second, the version
    counts as deleted.
    """
    if version.marker or version.latest:
        return not version.marker
    return not any(each.marker and each.written >= version.written for each in versions)
