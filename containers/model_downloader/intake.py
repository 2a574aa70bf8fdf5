"""Receive one file: write it to scratch, hash it and upload it in parts, as bytes arrive."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from containers.model_downloader.cleanup import afterwards
from containers.model_downloader.pace import Pace
from pipeline.artifacts import ArtifactStore, Location, Upload
from pipeline.declared.models import PublishedFile
from pipeline.errors import OutOfStorage


class Intake:
    """A file that arrives in order, of `most` bytes if that is given.

    It is not in the store before `publish`.
    """

    def __init__(
        self,
        path: Path,
        *,
        size: int | None,
        begin: Callable[[], Upload | None],
        pace: Pace,
        most: int | None = None,
    ) -> None:
        self.path = path
        self.received = 0
        self._stated = self._size = size
        self._begin = begin
        self._pace = pace
        self._most = most
        self._upload: Upload | None = None
        self._running = _hashes()

    def archive(self, name: str, *, most: int) -> Intake:
        """Return an intake for the archive that has this file: next to it, and never in the store.

        Like this file, it must come at the pace of the download.
        """
        path = self.path.with_name(name)
        return Intake(path, size=None, begin=lambda: None, pace=self._pace, most=most)

    def restart(self, *, size: int | None = None) -> None:
        """Discard what arrived and start again. `size` is the source's announcement, or None.

        Raises OutOfStorage if the disk lacks room for the catalogue's size, or else for `size`.
        """
        self.abandon()
        self._size = size if self._stated is None else self._stated
        self.received = 0
        self._running = _hashes()
        self.path.write_bytes(b"")
        self._pace.start()
        self._require_room()
        self._upload = self._begin()

    def take(self, chunk: bytes) -> None:
        """Add bytes. Raises OutOfStorage if the disk is full, TooSlow if they came too late."""
        self._pace.check(self.received)
        if self._most is not None and self.received + len(chunk) > self._most:
            raise OSError(f"it has more than {self._most:,} bytes")
        try:
            with self.path.open("ab") as out:
                out.write(chunk)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise self._full() from error
        for digest in self._running.values():
            digest.update(chunk)
        self.received += len(chunk)
        if self._upload:
            self._upload.write(chunk)

    def wait(self) -> None:
        """Note that no bytes came. Raises TooSlow if that has lasted too long."""
        self._pace.check(self.received)

    @property
    def checksums(self) -> dict[str, str]:
        """Return the hexadecimal MD5 and SHA-256 so far; publishers state one of them."""
        return {algorithm: digest.hexdigest() for algorithm, digest in self._running.items()}

    def publish(self) -> None:
        """Complete the upload, which makes the file an object of the store."""
        if self._upload:
            self._upload.complete()
            self._upload = None

    def abandon(self) -> None:
        """Abort an upload that is not published."""
        if self._upload:
            self._upload.abort()
            self._upload = None

    def _require_room(self) -> None:
        if self._size is not None and shutil.disk_usage(self.path.parent).free < self._size:
            raise self._full()

    def _full(self) -> OutOfStorage:
        free = shutil.disk_usage(self.path.parent).free
        needed = f"more than {self.received:,}" if self._size is None else f"{self._size:,}"
        return OutOfStorage(f"{self.path.name} needs {needed} bytes of disk; {free:,} are free")


@contextmanager
def receiving(
    file: PublishedFile, folder: Path, store: ArtifactStore, location: Location, *, pace: Pace
) -> Iterator[Intake]:
    """Yield an intake for `location`; abandon it at the end unless it was published."""
    path = folder / file.name
    intake = Intake(path, size=file.bytes, begin=lambda: store.begin(location), pace=pace)
    with afterwards(intake.abandon):
        yield intake


def _hashes() -> dict[str, hashlib._Hash]:
    return {"md5": hashlib.md5(usedforsecurity=False), "sha256": hashlib.sha256()}
