"""Read one file of a .tar.gz from elsewhere. Nothing is unpacked.

Bytes are counted as they are unpacked: an archive's own figures are not trusted.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

MOST_UNPACKED: Final = 2 * 2**30  # bytes that are unpacked in search of a file
MOST_ENTRIES: Final = 100_000
LARGEST_READ: Final = 2 * 2**20
# What a damaged archive raises, besides OSError.
DAMAGED: Final = (EOFError, RuntimeError, tarfile.TarError, zlib.error)


class ArchiveUnusable(OSError):
    """The archive lacks the file, or unpacks to more than anyone publishes."""


@contextmanager
def in_tar(
    compressed: IO[bytes], path: str, *, below: int = 0, shown: str = ""
) -> Iterator[IO[bytes]]:
    """Open a plain file of a .tar.gz; `below` folders of its names are left out."""
    shown = shown or path
    with (
        _Unpacked(fileobj=compressed) as unpacked,
        tarfile.open(fileobj=unpacked, mode="r:") as archive,
    ):
        for number, entry in enumerate(archive):
            if number >= MOST_ENTRIES:
                raise ArchiveUnusable(f"the archive has more than {MOST_ENTRIES:,} entries")
            if _without_folders(entry.name, below) != path:
                continue
            file = archive.extractfile(entry) if entry.isreg() else None
            if file is None:
                raise ArchiveUnusable(f"{shown} is no plain file in its archive")
            yield file
            return
    raise ArchiveUnusable(f"the archive has no {shown}")


def _without_folders(name: str, below: int) -> str:
    return "/".join(name.removeprefix("./").split("/")[below:])


class _Unpacked(gzip.GzipFile):
    """A stream for `tarfile`, which skips data by seeking and reads each header in one piece.

    Raises ArchiveUnusable beyond `MOST_UNPACKED` bytes, and for a header larger than any is.
    """

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= LARGEST_READ:
            raise ArchiveUnusable(f"the archive has a header of {size:,} bytes")
        _require_within(self.tell() + size)
        return super().read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        _require_within(offset)
        return super().seek(offset, whence)


def _require_within(place: int) -> None:
    if place > MOST_UNPACKED:
        raise ArchiveUnusable(f"the archive unpacks to more than {MOST_UNPACKED:,} bytes")
