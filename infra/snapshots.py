"""Say which containers may start from a snapshot of Lambda's SnapStart, and why others may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.declared.containers import ContainerManifest
from pipeline.spelling import did_you_mean

# Copies of their started process share nothing that must differ: tests/containers/test_snapshots.py
CHECKED: Final = ("media-inspector", "edge-refiner", "transcript-writer", "http-api")
_MOST_STORAGE_MB: Final = 512  # Lambda's limit for SnapStart


def snap_started(asked: Iterable[str], manifests: Iterable[ContainerManifest]) -> frozenset[str]:
    """Return the containers that start from a snapshot. Raises ValueError if one cannot."""
    known = {each.name: each for each in manifests}
    wanted = frozenset(asked)
    if problems := [problem for name in sorted(wanted) if (problem := _problem(name, known))]:
        raise ValueError("; ".join(problems))
    return wanted


def _problem(name: str, known: Mapping[str, ContainerManifest]) -> str | None:
    if name not in known:
        return f"snap_start: unknown container {name!r}{did_you_mean(name, known)}"
    storage = known[name].storage_mb
    if storage > _MOST_STORAGE_MB:
        return (
            f"snap_start: {name} has {storage} MB of storage; "
            f"Lambda allows {_MOST_STORAGE_MB} MB with snapshots"
        )
    if name not in CHECKED:
        return f"snap_start: {name} was not checked for snapshots; there is {', '.join(CHECKED)}"
    return None
