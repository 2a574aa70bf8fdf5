"""Collect the photos and recordings of a batch, and name every file that is neither.

A folder is searched with all folders below it. Every file in it is accounted for: a file that is
neither is skipped, with a reason; one that cannot be read is a failure: it may be a photo.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.errors import UnsupportedMedia
from pipeline.session.batch import MediaFile, Outcome
from pipeline.session.media import KINDS, Kind, kind_of, other_product
from pipeline.session.naming import Found, output_folders, output_names
from pipeline.session.own_files import (
    OwnFiles,
    Writer,
    is_contact_sheet,
    read_head,
    records_in,
)

OWN: Final = "written by Matteline"
EDITED: Final = "written by Matteline and edited since; rename it to have it processed"
HIDDEN: Final = "hidden"
AGAIN: Final = "already in this run"
OUTPUT: Final = "the output folder"
UNSUPPORTED: Final = "UNSUPPORTED"
_SPECIAL: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class Skipped:
    """A file or folder that is not read, and why."""

    path: Path
    why: str


@dataclass(frozen=True)
class Collection:
    """The photos and recordings, what is lost, and everything that was skipped.

    Lost is what could not be read, and what the user named that can become no product.
    """

    files: Sequence[MediaFile]
    lost: Sequence[Outcome]
    skipped: Sequence[Skipped]


def collect(arguments: Sequence[Path], *, output: Path, product: str | None = None) -> Collection:
    """Collect the files in `arguments` and below their folders.

    Links to folders are followed, each folder is read once. Skips hidden files, files that
    Matteline wrote, the output folder, and files in folders that are neither photo nor recording.
    With a product, media of others are left out, and what the user named and nobody knows is sent
    to it.
    """
    search = _Search(output, KINDS[product] if product else None)
    for argument in arguments:
        search.add(argument)
    search.follow_links()
    ours = records_in(output_folders(search.files, output))
    own = OwnFiles.of(ours | records_in(dict.fromkeys(search.folders)))
    kinds = {file: kind for file in search.files if (kind := search.kind(file, own))}
    names: dict[Found, str] = {}
    for kind in KINDS.values():
        found = [file for file in kinds if kinds[file] is kind]
        records = {path: each for path, each in ours.items() if each.product == kind.product}
        names |= zip(found, output_names(found, records, output), strict=True)
    files = [MediaFile(file.path, names[file], kind) for file, kind in kinds.items()]
    return Collection(files, search.lost, search.skipped)


@dataclass
class _Search:
    """A walk through files and folders."""

    output: Path
    wanted: Kind | None
    files: list[Found] = field(default_factory=list)
    lost: list[Outcome] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)  # searched, or with a given file
    _given: set[Path] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)  # real paths
    _links: deque[tuple[Found, bool]] = field(default_factory=deque)  # and True for a folder

    def add(self, argument: Path) -> None:
        """Add a file or a folder that the user gave."""
        if argument.is_dir():
            self._search(Found(argument, Path(), argument), given=True)
        else:
            self.folders.append(argument.parent)
            self._given.add(argument)
            self._file(Found(argument, Path(argument.name), argument.parent))

    def follow_links(self) -> None:
        """Read what links lead to, after everything that has a path without links."""
        while self._links:
            link, is_folder = self._links.popleft()
            if is_folder:
                self._search(link)
            else:
                self._file(link)

    def _search(self, top: Found, *, given: bool = False) -> None:
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            if not given and self._is_output(folder.path):
                self.skipped.append(Skipped(folder.path, OUTPUT))
                continue
            if self._is_new(folder.path):
                waiting += reversed(list(self._entries(folder)))
            given = False

    def _entries(self, folder: Found) -> Iterator[Found]:
        """Sort what is in a folder; yield the folders in it."""
        try:
            names = sorted(os.listdir(folder.path))  # noqa: PTH208 - names, and few calls
        except OSError as error:
            self._lose(folder, error)
            return
        self.folders.append(folder.path)
        for name in names:
            entry = Found(folder.path / name, folder.relative / name, folder.folder)
            if name.startswith("."):
                self.skipped.append(Skipped(entry.path, HIDDEN))
                continue
            try:
                mode = entry.path.lstat().st_mode
                target = entry.path.stat().st_mode
            except OSError as error:
                self._lose(entry, error)
                continue
            if special := _SPECIAL.get(stat.S_IFMT(target)):
                self.skipped.append(Skipped(entry.path, special))
            elif stat.S_ISLNK(mode):
                self._links.append((entry, stat.S_ISDIR(target)))
            elif stat.S_ISDIR(mode):
                yield entry
            else:
                self._file(entry)

    def _file(self, file: Found) -> None:
        if self._is_new(file.path):
            self.files.append(file)

    def _is_new(self, path: Path) -> bool:
        real = os.path.realpath(path)
        if real in self._seen:
            self.skipped.append(Skipped(path, AGAIN))
            return False
        self._seen.add(real)
        return True

    def _is_output(self, folder: Path) -> bool:
        try:
            return folder.samefile(self.output)
        except OSError:
            return False

    def _lose(self, file: Found, error: OSError) -> None:
        reason = error.strerror or str(error)
        # islink, because the link may be in a folder that cannot be searched
        if os.path.islink(file.path) and error.errno in {errno.ENOENT, errno.ELOOP}:  # noqa: PTH114
            reason = "a link that leads nowhere"
        self._note(file, "UNREADABLE", reason)

    def _note(self, file: Found, status: str, reason: str) -> None:
        name = str(file.relative) if file.relative.parts else str(file.path)
        told = f"{file.path}: {reason}"
        self.lost.append(Outcome(MediaFile(file.path, name, None), status, reason=told))

    def kind(self, file: Found, own: OwnFiles) -> Kind | None:
        """Return what the file is if it should be processed; else note why not."""
        try:
            head = read_head(file.path)
            writer = own.writer(file.path)
        except OSError as error:
            self._lose(file, error)
            return None
        if writer is not Writer.USER or is_contact_sheet(head):
            why = EDITED if writer is Writer.EDITOR else OWN
            self.skipped.append(Skipped(file.path, why))
            return None
        given = file.path in self._given
        try:
            kind = kind_of(file.path, head)
        except UnsupportedMedia as error:
            if given and self.wanted:
                return self.wanted
            product = other_product(file.path)
            to = f"files of this name go to {product}: upload it to a running `matteline up`"
            why = to if product else f"neither a photo nor a recording: {error.message}"
            self._leave_out(file, why, given=given)
            return None
        if self.wanted is None or self.wanted.noun == kind.noun:
            return self.wanted or kind
        why = f"a {kind.noun}, and --product {self.wanted.product} takes {self.wanted.noun}s"
        self._leave_out(file, why, given=given)
        return None

    def _leave_out(self, file: Found, why: str, *, given: bool) -> None:
        """Note a file that becomes no product: of those that the user named, it is a failure."""
        if given:
            self._note(file, UNSUPPORTED, why)
        else:
            self.skipped.append(Skipped(file.path, why))
