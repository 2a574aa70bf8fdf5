"""Lists of objects for a backfill: read a user's, and write the one that the machine reads."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pipeline.declared.products import Product, taker
from pipeline.errors import InvalidOptions
from pipeline.operations.site import Site

LISTS: Final = "backfill/lists/"  # of the work bucket: in the ingest bucket it would be processed
_LONGEST_KEY: Final = 1024  # bytes, S3's limit
_IN_MEMORY: Final = 8 * 2**20  # bytes of a list; a longer one waits on disk until it is uploaded


def read_keys(path: Path) -> tuple[str, ...]:
    """Read the keys in a file of this machine.

    It is CSV with a column `key` if its name ends in .csv, else JSON with a field `key` on each
    line. Raises InvalidOptions if there is no key, or a row or line has none that S3 could have.
    """
    read = _csv_rows if path.name.endswith(".csv") else _json_rows
    try:
        text = path.read_bytes().removeprefix(codecs.BOM_UTF8).decode()
        keys = tuple(_key(row) for row in read(text))
    except (csv.Error, KeyError, RecursionError, TypeError, ValueError) as error:
        message = f"{path.name}: not every row or line has a `key` ({error})"
        raise InvalidOptions(message) from error
    if not keys:
        raise InvalidOptions(f"{path.name}: there is no `key` in the file")
    return keys


def route(key: str, product: Product | None, products: tuple[Product, ...]) -> Product | None:
    """Return the product that processes an object: the given one, or else the one its name starts.

    None for a folder's marker, which nobody uploaded.
    """
    return taker(key, products) and (product or taker(key, products))


def put_list(site: Site, keys: Iterable[str], product: Product | None) -> str:
    """Write the list that the backfill machine reads, and return its name.

    Each line has a key and the state machine that processes it. The name has the content's digest,
    so that no other list replaces it. Raises InvalidOptions if no object is left.
    """
    digest = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as lines:
        for key in keys:
            if routed := route(key, product, site.products):
                line = json.dumps({"key": key, "machine": routed.machine}).encode() + b"\n"
                digest.update(line)
                lines.write(line)
        if not lines.tell():
            raise InvalidOptions("there is no object to process")
        lines.seek(0)
        name = f"{digest.hexdigest()[:12]}/keys.jsonl"
        site.client("s3").put_object(
            Bucket=site.names.bucket("work"), Key=f"{LISTS}{name}", Body=lines
        )
    return name


def _csv_rows(text: str) -> Iterable[Mapping[str, object]]:
    return csv.DictReader(io.StringIO(text))


def _json_rows(text: str) -> Iterable[Mapping[str, object]]:
    # No other separator of lines than LF: keys may have one, such as U+2028.
    return (json.loads(line) for line in text.split("\n") if line.strip())


def _key(row: Mapping[str, object]) -> str:
    key = row["key"]
    # Half of a surrogate pair is no text: encoding it is a ValueError.
    if not isinstance(key, str) or not 0 < len(key.encode()) <= _LONGEST_KEY:
        raise ValueError(f"{key!r:.100} is no key")
    return key
