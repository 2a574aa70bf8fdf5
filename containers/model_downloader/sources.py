"""Where weights come from: a mirror first, then the addresses the catalogue names, in order."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote, unquote, urlsplit

import urllib3

from pipeline.errors import WeightsMismatch, WeightsUnavailable
from pipeline.manifest import WeightsFile
from pipeline.weights import checksums

_CHUNK_BYTES: Final = 2**20
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=60)
_RETRIES: Final = urllib3.Retry(
    total=None, connect=1, read=1, redirect=5, status=0, backoff_factor=0.5
)


@dataclass(frozen=True)
class Sources:
    """`mirror` is a folder or a URL that holds files by name, or None.

    A folder may also be laid out as the models bucket is, each file under its model's `prefix`.
    """

    mirror: str | None
    prefix: str = ""

    def fetch(self, file: WeightsFile, target: Path) -> str:
        """Write the file to `target` and return its SHA-256.

        WeightsUnavailable lists why each source failed; fewer bytes than the catalogue states is
        such a failure. A source with other bytes than the digest promises ends the search with
        WeightsMismatch: that is for a person to look at.
        """
        failures = []
        for address in self._addresses(file):
            try:
                with _stream(address) as stream:
                    _copy(stream, target)
                _require_whole(file, target)
            except (OSError, urllib3.exceptions.HTTPError) as error:
                failures.append(f"{address} ({_short(error)})")
                continue
            return _verified(file, target, address)
        tried = "; ".join(failures) or "the catalogue names no source"
        raise WeightsUnavailable(f"{file.name} could not be fetched: {tried}")

    def _addresses(self, file: WeightsFile) -> list[str]:
        if self.mirror is None:
            return list(file.urls)
        if "://" in self.mirror:
            return [f"{self.mirror.rstrip('/')}/{quote(file.name)}", *file.urls]
        folder = Path(self.mirror).absolute()
        copies = dict.fromkeys([folder / self.prefix / file.name, folder / file.name])
        return [*(copy.as_uri() for copy in copies), *file.urls]


@contextlib.contextmanager
def _stream(address: str) -> Iterator[IO[bytes]]:
    parts = urlsplit(address)
    if parts.scheme == "file":
        with Path(unquote(parts.path)).open("rb") as stream:
            yield stream
        return
    if parts.scheme not in {"http", "https"}:
        raise OSError(f"{parts.scheme}:// is not a way to fetch weights")
    with urllib3.PoolManager(timeout=_TIMEOUT, retries=_RETRIES) as pool:
        answer = pool.request("GET", address, preload_content=False)
        try:
            if answer.status != 200:
                raise OSError(f"it answered {answer.status}")
            yield answer  # type: ignore[misc]  # an HTTPResponse reads like a file
        finally:
            answer.release_conn()


def _copy(stream: IO[bytes], target: Path) -> None:
    with target.open("wb") as out:
        shutil.copyfileobj(stream, out, _CHUNK_BYTES)
        out.flush()
        os.fsync(out.fileno())


def _require_whole(file: WeightsFile, path: Path) -> None:
    fetched = path.stat().st_size
    if file.bytes is not None and fetched < file.bytes:
        raise OSError(f"it ended after {fetched:,} of {file.bytes:,} bytes")


def _verified(file: WeightsFile, path: Path, address: str) -> str:
    """The SHA-256 of a fetched file, once its published digest has been seen to hold."""
    algorithm, _, expected = file.digest.partition(":")
    actual = checksums(path)
    if actual[algorithm] != expected:
        raise WeightsMismatch(
            f"{address} has {algorithm} {actual[algorithm]}, the catalogue says {expected}"
        )
    return actual["sha256"]


def _short(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error)[:200]
