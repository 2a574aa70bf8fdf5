"""A store that dies at one of its writes, before S3 has it or after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.artifacts import (
    Artifact,
    ArtifactStore,
    Content,
    Listed,
    Location,
    Stat,
    Upload,
)

Moment = Literal["before", "after"]


class Killed(BaseException):
    """The process is gone: no handler of the task's own may catch this."""


@dataclass
class DyingStore:
    """Counts the writes of a task, and dies at number `dies_at` (from 1); 0 never dies."""

    store: ArtifactStore
    dies_at: int = 0
    moment: Moment = "before"
    writes: list[str] = field(default_factory=list)

    def stat(self, location: Location) -> Stat:
        return self.store.stat(location)

    def read(self, location: Location) -> bytes:
        return self.store.read(location)

    def read_range(self, location: Location, start: int, count: int, *, etag: str) -> bytes:
        return self.store.read_range(location, start, count, etag=etag)

    def read_if_changed(self, location: Location, *, etag: str | None) -> Content | None:
        return self.store.read_if_changed(location, etag=etag)

    def stream(self, location: Location) -> Iterator[bytes]:
        return self.store.stream(location)

    def download(self, location: Location, path: Path) -> None:
        self.store.download(location, path)

    def listing(self, prefix: Location, *, after: str = "") -> Iterator[Listed]:
        return self.store.listing(prefix, after=after)

    def begin(self, location: Location) -> Upload:
        raise NotImplementedError(f"an upload in pieces to {location.uri} is not counted")

    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact:
        self._may_die(location, "before")
        written = self.store.write(location, content, media_type=media_type)
        self._may_die(location, "after")
        return written

    def upload(self, path: Path, location: Location, *, sha256: str) -> Artifact:
        self._may_die(location, "before")
        written = self.store.upload(path, location, sha256=sha256)
        self._may_die(location, "after")
        return written

    def write_if_unchanged(
        self, location: Location, content: bytes, *, etag: str | None
    ) -> str | None:
        self._may_die(location, "before")
        written = self.store.write_if_unchanged(location, content, etag=etag)
        self._may_die(location, "after")
        return written

    def delete_if_unchanged(self, location: Location, *, etag: str) -> None:
        self._may_die(location, "before")
        self.store.delete_if_unchanged(location, etag=etag)
        self._may_die(location, "after")

    def erase(self, location: Location) -> int:
        self._may_die(location, "before")
        erased = self.store.erase(location)
        self._may_die(location, "after")
        return erased

    def erase_below(self, prefix: Location, *, ending: str = "") -> int:
        self._may_die(prefix, "before")
        erased = self.store.erase_below(prefix, ending=ending)
        self._may_die(prefix, "after")
        return erased

    def _may_die(self, location: Location, moment: Moment) -> None:
        if moment == "before":
            self.writes.append(location.key)
        if moment == self.moment and len(self.writes) == self.dies_at:
            raise Killed(location.key)
