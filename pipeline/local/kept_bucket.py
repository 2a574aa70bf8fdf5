"""Keep the objects of one bucket in a folder as well: the next local cloud begins with them.

A change is in the folder before it is answered: nothing that was deleted comes back. Objects have
no versions there, and no metadata.
"""

from __future__ import annotations

import contextlib
import fcntl
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from werkzeug.wrappers import Request, Response

from pipeline.local.own_folder import is_private
from pipeline.local.server import LocalServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LOCK: Final = ".lock"
_PARTIAL: Final = ".partial"
_CHANGES: Final = frozenset({"PUT", "POST", "DELETE"})
_PRIVATE: Final = 0o700


class FolderInUse(Exception):
    """Another local cloud keeps its bucket in the folder."""


class FolderOpen(Exception):
    """Other users can enter the folder, or may have put something into it."""


@contextlib.contextmanager
def keeping_bucket(
    server: LocalServer, s3: Any, bucket: str, folder: Path, *, passing: str
) -> Iterator[None]:
    """Put what a folder has into a bucket, and keep the folder equal until the block ends.

    `s3` is a client of the server. The folder is created for this user alone. Keys that begin with
    `passing` are not kept. Raises FolderInUse, FolderOpen, or OSError.
    """
    folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    if not is_private(folder.resolve()):
        raise FolderOpen(f"others can enter {folder}: name a new folder, or `chmod 700` this one")
    with (folder / _LOCK).open("wb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"another `matteline up` uses {folder}") from None
        kept = _KeptBucket(s3, bucket, folder, passing)
        kept.load()
        with server.in_front(kept.before):
            yield


class _KeptBucket:
    """Changes of the bucket are made one after the other: two of one key keep their order."""

    def __init__(self, s3: Any, bucket: str, folder: Path, passing: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._folder = folder
        self._passing = passing
        self._lock = threading.Lock()

    def load(self) -> None:
        for path in self._files():
            key = unquote(path.name)
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=path.read_bytes())

    def before(self, app: WSGIApplication) -> WSGIApplication:
        """Return an application that writes changes of the bucket to the folder, too."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            key = self._changed(Request(environ))
            if key is None:
                return app(environ, start_response)
            with self._lock:
                response = Response.from_app(app, environ, buffered=True)
                if response.status_code < 300:
                    self._follow(key)
            return response(environ, start_response)

        return answer

    def _changed(self, request: Request) -> str | None:
        """Return the key that a request may change, empty for many; None if it changes nothing."""
        if request.method not in _CHANGES:
            return None
        if request.host.partition(":")[0] == f"{self._bucket}.localhost":
            return request.path.removeprefix("/")
        bucket, _, key = request.path.removeprefix("/").partition("/")
        return key if bucket == self._bucket else None

    def _follow(self, key: str) -> None:
        """Make the folder have what the bucket has under a key, or under all."""
        if key:
            if not key.startswith(self._passing):
                self._copy(key)
            return
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        stored = {each["Key"] for page in pages for each in page.get("Contents", ())}
        for path in self._files():
            if unquote(path.name) not in stored:
                path.unlink()

    def _copy(self, key: str) -> None:
        path = self._folder / _file_name(key)
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
        except self._s3.exceptions.NoSuchKey:
            path.unlink(missing_ok=True)
            return
        partial = self._folder / _PARTIAL
        with partial.open("wb") as file:
            for chunk in body.iter_chunks():
                file.write(chunk)
        partial.replace(path)

    def _files(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if not path.name.startswith(".")]


def _file_name(key: str) -> str:
    """Return a name without slashes and without a dot at its start."""
    name = quote(key, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name
