"""A list of photos: a file that names their keys, and its place where it starts nothing."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import InvalidOptions
from pipeline.operations.site import Site

PLACE: Final = "backfill/lists/"  # of the work bucket; in the ingest bucket it would be a photo


@dataclass(frozen=True)
class KeyList:
    """CSV with a column `key` if `file` ends in .csv, else JSON with a field `key` on each line."""

    file: str
    content: bytes

    @classmethod
    def read(cls, path: Path) -> KeyList:
        """From a file of this machine, without the mark that some editors begin a file with."""
        return cls(path.name, path.read_bytes().removeprefix(codecs.BOM_UTF8))

    @property
    def name(self) -> str:
        """What a backfill is told: lists of other content never take its place."""
        return f"{hashlib.sha256(self.content).hexdigest()[:12]}/{self.file}"

    @property
    def keys(self) -> list[str]:
        """InvalidOptions for a list that does not name one in each row or line."""
        read = _csv_rows if self.file.endswith(".csv") else _json_rows
        try:
            return [_key(row) for row in read(self.content.decode())]
        except (KeyError, TypeError, ValueError) as error:
            told = f"{self.file}: not every row or line has a `key` ({error})"
            raise InvalidOptions(told) from error


def require_keys(listed: KeyList) -> None:
    """InvalidOptions for a list of nothing, or one that does not name a key everywhere."""
    if not listed.keys:
        raise InvalidOptions(f"{listed.file}: there is no `key` in it")


def put_list(site: Site, listed: KeyList) -> None:
    """To where the backfill machine reads it."""
    site.client("s3").put_object(
        Bucket=site.names.bucket("work"), Key=f"{PLACE}{listed.name}", Body=listed.content
    )


def _csv_rows(text: str) -> Iterable[Mapping[str, object]]:
    return csv.DictReader(io.StringIO(text))


def _json_rows(text: str) -> Iterable[Mapping[str, object]]:
    return (json.loads(line) for line in text.splitlines() if line.strip())


def _key(row: Mapping[str, object]) -> str:
    key = row["key"]
    if not isinstance(key, str) or not key:
        raise ValueError(f"{key!r} is no key")
    return key
