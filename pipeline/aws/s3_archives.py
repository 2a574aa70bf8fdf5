"""Detect archived objects, which must be restored before they can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Objects of the class GLACIER_IR can be read at once.
_CLASSES: Final = {"GLACIER", "DEEP_ARCHIVE"}
_RESTORING: Final = 'ongoing-request="true"'
_RESTORED: Final = 'ongoing-request="false"'


def archive_of(head: Mapping[str, Any]) -> str | None:
    """Return the archive that an object must be restored from, None if it can be read.

    `head` is the response of HeadObject. Only S3 Intelligent-Tiering sets ArchiveStatus.
    """
    restore = head.get("Restore", "")
    archive: str | None = head.get("ArchiveStatus") or _class(head)
    if archive is None or _RESTORED in restore:
        return None
    return f"{archive}, and is being restored" if _RESTORING in restore else archive


def is_archived(listed: Mapping[str, Any]) -> bool:
    """Return True if an entry of ListObjectsV2, with its RestoreStatus, must be restored first.

    Archived objects of S3 Intelligent-Tiering are listed like any other.
    """
    restored = "RestoreExpiryDate" in listed.get("RestoreStatus", {})
    return _class(listed) is not None and not restored


def _class(described: Mapping[str, Any]) -> str | None:
    name: str | None = described.get("StorageClass")
    return name if name in _CLASSES else None
