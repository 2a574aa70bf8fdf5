"""Download a file over http(s), resuming after a broken connection if it is unchanged."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from containers.model_downloader.intake import Intake
from pipeline.artifacts import CHUNK_BYTES
from pipeline.weights.proxies import Proxies, open_pool

_RETRIES: Final = urllib3.Retry(
    total=None, connect=1, read=1, redirect=5, status=0, backoff_factor=0.5
)
_MOST_CONNECTIONS: Final = 8
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_OK, _PARTIAL, _PAST_THE_END = 200, 206, 416
_CLOSED: Final = {401, 403}


class Closed(OSError):
    """The source requires authentication or denies access."""


class _Changed(OSError):
    """The file on the server changed during the download."""


@dataclass(frozen=True)
class Web:
    """A client for http(s). A server that sends nothing for `patience_s` has failed."""

    proxies: Proxies
    patience_s: float = 30.0

    def download(
        self, url: str, intake: Intake, *, token: str | None, private: bool = False
    ) -> None:
        """Send the whole file to `intake`, over at most eight connections that each progress.

        `token` is sent to this host only, not to redirects. If `private`, a redirect from https to
        http is refused. Raises OSError or urllib3's HTTPError if the source fails.
        """
        timeout = urllib3.Timeout(connect=5, read=self.patience_s)
        with open_pool(self.proxies, url, timeout=timeout, retries=_RETRIES) as pool:
            _Download(pool, url, intake, token, private=private).run()


class _Download:
    """One download; `_etag` is the strong ETag of the received bytes, None before the first."""

    def __init__(
        self,
        pool: urllib3.PoolManager,
        url: str,
        intake: Intake,
        token: str | None,
        *,
        private: bool,
    ) -> None:
        self._pool = pool
        self._url = url
        self._intake = intake
        self._token = token
        self._private = private
        self._etag: str | None = None

    def run(self) -> None:
        furthest = 0
        for connections_left in reversed(range(_MOST_CONNECTIONS)):
            try:
                self._read_on()
            except _Changed:
                if not connections_left:
                    raise
            except (ProtocolError, ReadTimeoutError):
                if not connections_left or self._intake.received <= furthest:
                    raise
                furthest = self._intake.received
            else:
                return
            self._intake.wait()

    def _read_on(self) -> None:
        headers = self._headers()
        answer = self._pool.request("GET", self._url, headers=headers, preload_content=False)
        with closing(answer):
            if self._private:
                _require_private_redirects(answer)
            self._position(answer)
            while chunk := answer.read1(CHUNK_BYTES):
                self._intake.take(chunk)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._etag:
            headers |= {"Range": f"bytes={self._intake.received}-", "If-Range": self._etag}
        return headers

    def _position(self, answer: urllib3.BaseHTTPResponse) -> None:
        """Continue or restart the intake, depending on the response's range."""
        if answer.status == _OK:
            length = answer.headers.get("Content-Length", "")
            self._intake.restart(size=int(length) if length.isdecimal() else None)
            self._etag = _strong_etag(answer)
        elif answer.status in {_PARTIAL, _PAST_THE_END} and self._etag:
            if not self._is_continued_by(answer):
                self._etag = None
                raise _Changed("the file changed while it was being read")
        else:
            kind = Closed if answer.status in _CLOSED else OSError
            raise kind(f"it responded with status {answer.status}")

    def _is_continued_by(self, answer: urllib3.BaseHTTPResponse) -> bool:
        """Return True if the bytes continue the same file: some servers send other ranges."""
        place = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        starts_here = place is not None and int(place[1]) == self._intake.received
        return answer.status == _PARTIAL and starts_here and _strong_etag(answer) == self._etag


def is_loopback(url: str) -> bool:
    """Return True if the URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _require_private_redirects(answer: urllib3.BaseHTTPResponse) -> None:
    """Raise OSError if a redirect led out of this machine unencrypted."""
    for step in answer.retries.history if answer.retries else ():
        place = step.redirect_location or ""
        if place.startswith("http:") and not is_loopback(place):
            raise OSError("it redirects a file without a digest to plain http")


def _strong_etag(answer: urllib3.BaseHTTPResponse) -> str | None:
    """Return an ETag that identifies the exact bytes; weak ones do not."""
    etag = answer.headers.get("ETag")
    return etag if etag and etag.startswith('"') else None
