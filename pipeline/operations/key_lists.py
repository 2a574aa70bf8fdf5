"""A list of photos: a file that names their keys, and its place where it starts nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pipeline.errors import InvalidOptions
from pipeline.operations.site import Site

PLACE: Final = "backfill/lists/"  # of the work bucket; in the ingest bucket it would be a photo


@dataclass(frozen=True)
class KeyList:
    """CSV with a column `key` if `file` ends in .csv, else JSON with a field `key` on each line."""

    file: str
    content: bytes

    @property
    def name(self) -> str:
        """What a backfill is told: lists of other content never take its place."""
        return f"{hashlib.sha256(self.content).hexdigest()[:12]}/{self.file}"

    @property
    def keys(self) -> list[str]:
        """InvalidOptions for a list that does not name one in each row or line."""
        read: Callable[[str], list[str]] = _csv_keys if self.file.endswith(".csv") else _json_keys
        try:
            return read(self.content.decode("utf-8-sig"))
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


def _csv_keys(text: str) -> list[str]:
    return [row["key"] for row in csv.DictReader(io.StringIO(text))]


def _json_keys(text: str) -> list[str]:
    return [str(json.loads(line)["key"]) for line in text.splitlines() if line.strip()]
