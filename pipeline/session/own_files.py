"""Recognise the files that Matteline wrote, by their bytes.

An output record names size and SHA-256 of its output files, so a file with these bytes is
Matteline's, wherever it was moved. Pages of a contact sheet have a mark. Every other file is the
user's: it may be a photo or a recording, and it is never overwritten.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pipeline.audio.sniffing import HEAD_BYTES
from pipeline.contracts.output_keys import output_stem
from pipeline.session.media import KINDS

_ENDS: Final = {name: kind.record.removesuffix(".json") for name, kind in KINDS.items()}
# `cat_bg_removed.json`, or the record of earlier outputs: `cat_bg_removed.0123abcd.json`.
_RECORD_NAME: Final = re.compile(
    rf"(?P<stem>.+)({'|'.join(map(re.escape, _ENDS.values()))})(\.[0-9a-f]{{8}})?\.json", re.DOTALL
)
LONGEST_END: Final = max(map(len, _ENDS.values())) + len(".01234567.json")
_MOST_RECORD_BYTES: Final = 2**20
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_JOB_ID: Final = re.compile(r"[0-9a-f]{8,}")
_ADDRESS: Final = re.compile(r"s3://[^/]+/.+", re.DOTALL)

SHEET_MARK: Final = ("Software", "Matteline contact sheet")  # a text chunk of the PNG
_MARKED: Final = b"tEXt" + "\0".join(SHEET_MARK).encode("latin-1")


@dataclass(frozen=True)
class Content:
    """Size and SHA-256 of a file."""

    bytes: int
    sha256: str

    @classmethod
    def parse(cls, described: object) -> Content:
        """Raises ValueError for anything but the description of a file in a record."""
        match described:
            case {"bytes": int(size), "sha256": str(digest)} if _SHA256.fullmatch(digest):
                return cls(size, digest)
        raise ValueError(f"no size and SHA-256: {described!r}")


@dataclass(frozen=True)
class OutputRecord:
    """The parts of an output record that tell which files are Matteline's.

    `source_key` is the key that the file was uploaded under. `outputs` has the output files by
    their addresses in the local cloud that made them.
    """

    product: str
    job_id: str
    source_key: str
    source: Content
    outputs: Mapping[str, Content]

    @classmethod
    def parse(cls, content: bytes) -> OutputRecord:
        """Raises ValueError for anything else."""
        match record := json.loads(content):
            case {
                "job_id": str(job_id),
                "product": str(product),
                "source": {"key": str(key), **source},
            } if _JOB_ID.fullmatch(job_id) and product in KINDS:
                outputs = {_address(each): Content.parse(each) for each in output_files(record)}
                return cls(product, job_id, key, Content.parse(source), outputs)
        raise ValueError("no output record")

    def places(self, folder: Path, stem: str) -> dict[Path, Content]:
        """Return where the output files of a file called `stem` are, and what they contain."""
        uploaded = output_stem(self.source_key)
        suffixes = {uri: key_of(uri).removeprefix(uploaded) for uri in self.outputs}
        return {
            folder / f"{stem}{suffix}": self.outputs[uri]
            for uri, suffix in suffixes.items()
            if "/" not in suffix
        }


def output_files(stated: Mapping[str, Any]) -> Sequence[Any]:
    """Return the output files that a record, or an execution's output, describes.

    Raises ValueError if it describes none.
    """
    match stated:
        case {"pictures": [*files]} | {"files": [*files]}:
            return files
    raise ValueError("no output files")


def _address(described: object) -> str:
    match described:
        case {"uri": str(uri)} if _ADDRESS.fullmatch(uri):
            return uri
    raise ValueError("an output file without an address")


def key_of(uri: str) -> str:
    """Return the key of an object's `s3://bucket/key` address."""
    return uri.removeprefix("s3://").partition("/")[2]


def read_record(path: Path) -> OutputRecord | None:
    """Read an output record; None if the file is something else or cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_RECORD_BYTES:
            return None
        return OutputRecord.parse(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def records_in(folders: Iterable[Path]) -> dict[Path, OutputRecord]:
    """Read the records in each folder, without the folders below it."""
    found = {path: read_record(path) for folder in folders for path in _json_files(folder)}
    return {path: record for path, record in found.items() if record}


def _json_files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except OSError:
        return []


def stem_of(record: Path) -> str | None:
    """Return the name of the file that a record is stored under; None for a renamed record."""
    match = _RECORD_NAME.fullmatch(record.name)
    return match["stem"] if match else None


def earlier_name(stem: str, record: OutputRecord) -> str:
    """Return the name of the record of earlier outputs, next to a file's latest record."""
    return f"{stem}{_ENDS[record.product]}.{record.job_id[:8]}.json"


def content_of(path: Path) -> Content:
    """Hash a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return Content(file.tell(), digest.hexdigest())


def is_contact_sheet(head: bytes) -> bool:
    """Return True if the first bytes of a file have the mark of a contact sheet."""
    return _MARKED in head


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file, enough to recognise it."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


class Writer(Enum):
    """Who wrote a file."""

    MATTELINE = "Matteline"
    EDITOR = "edited since Matteline wrote it"
    USER = "the user"


@dataclass(frozen=True)
class OwnFiles:
    """What a set of records tells about files, in any folder.

    `records` are the paths of the records. `contents` is what Matteline wrote, and `places` where.
    """

    records: frozenset[Path]
    contents: frozenset[Content]
    places: frozenset[Path]

    @classmethod
    def of(cls, records: Mapping[Path, OutputRecord]) -> OwnFiles:
        places = [
            place
            for path, record in records.items()
            if (stem := stem_of(path))
            for place in record.places(path.parent, stem)
        ]
        contents = [made for record in records.values() for made in record.outputs.values()]
        return cls(frozenset(records), frozenset(contents), frozenset(places))

    def writer(self, path: Path) -> Writer:
        """Return who wrote a file. Raises OSError if it cannot be read."""
        if path in self.records:
            return Writer.MATTELINE
        if path.stat().st_size in self._sizes and content_of(path) in self.contents:
            return Writer.MATTELINE
        return Writer.EDITOR if path in self.places else Writer.USER

    @cached_property
    def _sizes(self) -> frozenset[int]:
        return frozenset(content.bytes for content in self.contents)
