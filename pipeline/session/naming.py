"""Choose the names of outputs: each photo and recording its own, and the same one in every run.

`trip/cat.jpg` of the folder `holiday` is called `trip/cat` if no other photo has that name, else
`trip/cat.jpg`, else `holiday/trip/cat`, else `trip/cat.jpg~1f2e3d4c` after its path. A name that is
too long for a disk with the endings of outputs ends in `~1f2e3d4c`, too. Names that differ only in
case, or in how Unicode writes an accent, are the same name: on some disks they are.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from pipeline.session.own_files import LONGEST_END, Content, OutputRecord, content_of, stem_of

_DIGEST_LENGTH: Final = 16
_SHORT: Final = 8
_LONGEST: Final = 255 - LONGEST_END  # bytes; disks hold names of 255


def identity(path: Path) -> str:
    """Return 16 characters that stand for a path, however the path is written."""
    return hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:_DIGEST_LENGTH]


@dataclass(frozen=True)
class Found:
    """A file of a batch. `relative` is its path in `folder`, the folder that the user gave."""

    path: Path
    relative: Path
    folder: Path

    @cached_property
    def identity(self) -> str:
        return identity(self.path)

    @cached_property
    def size(self) -> int | None:
        try:
            return self.path.stat().st_size
        except OSError:
            return None

    @cached_property
    def content(self) -> Content | None:
        """Return size and SHA-256 of the file; None if it cannot be read."""
        try:
            return content_of(self.path)
        except OSError:
            return None

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """Return the names that the file may have, best first; the last one is the file's own."""
        stem, whole = str(self.relative.with_suffix("")), str(self.relative)
        folder = Path(os.path.abspath(self.folder)).name  # noqa: PTH100 - a link keeps its name
        inside = str(Path(folder.lstrip("."), stem))
        own = f"{whole}~{self.identity[:_SHORT]}"
        return self._short(stem), self._short(whole), self._short(inside), self._short(own)

    def _short(self, name: str) -> str:
        """Return a name to which every ending can be added; part of the path replaces its end."""
        path, end = Path(name), f"~{self.identity[:_SHORT]}"
        if len(os.fsencode(path.name)) <= _LONGEST:
            return name
        kept = path.name
        while len(os.fsencode(kept + end)) > _LONGEST:
            kept = kept[:-1]
        return str(path.with_name(kept + end))


def output_folders(found: Sequence[Found], output: Path) -> list[Path]:
    """Return the folders in which the outputs of these files may be."""
    names = (name for file in found for name in file.candidates)
    return list(dict.fromkeys((output / name).parent for name in names))


def output_names(
    found: Sequence[Found], records: Mapping[Path, OutputRecord], output: Path
) -> list[str]:
    """Return each file's name: the path of its outputs in the output folder, without suffixes.

    All files are of one kind, and `records` are that kind's in the `output_folders`. A file whose
    record is there keeps its name, even if other files come or go. No file gets a name that has the
    record of another one.
    """
    names: dict[Found, str] = {}
    recorded, taken = _recorded(records, output), set[str]()
    for is_of in (_is_of_path, _is_of_content):
        for file in found:
            for name in file.candidates:
                there = recorded.get(_folded(name), ())
                free = file not in names and _folded(name) not in taken
                if free and any(is_of(record, file) for record in there):
                    names[file] = name
                    taken.add(_folded(name))
    for choices in zip(*(file.candidates for file in found), strict=True):
        wanted = dict(zip(found, choices, strict=True))
        wishes = Counter(_folded(name) for file, name in wanted.items() if file not in names)
        for file, name in wanted.items():
            alone = wishes[_folded(name)] == 1 and not {_folded(name)} & (taken | recorded.keys())
            if file not in names and alone:
                names[file] = name
                taken.add(_folded(name))
    return [names.get(file, file.candidates[-1]) for file in found]


def _recorded(records: Mapping[Path, OutputRecord], output: Path) -> dict[str, list[OutputRecord]]:
    """Return the records of each name that has outputs."""
    recorded = defaultdict(list)
    for path, record in records.items():
        if stem := stem_of(path):
            recorded[_folded(str((path.parent / stem).relative_to(output)))].append(record)
    return dict(recorded)


def _is_of_path(record: OutputRecord, file: Found) -> bool:
    """Return True if the recorded file was uploaded from the file's path."""
    return record.source_key.split("/")[-2:-1] == [file.identity]


def _is_of_content(record: OutputRecord, file: Found) -> bool:
    """Return True if the recorded file has the file's bytes: the file was moved."""
    return file.size == record.source.bytes and file.content == record.source


def _folded(name: str) -> str:
    """Return the name without differences of case and Unicode form, which some disks ignore."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
