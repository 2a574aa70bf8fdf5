"""Define artifacts (bytes with an address and a checksum) and the stores that hold them."""

import hashlib
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NamedTuple, Protocol
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, StringConstraints

CHUNK_BYTES: Final = 2**20


class AccessDenied(Exception):
    """The store denied access: a permission is missing, which an operator must grant."""


class ObjectArchived(Exception):
    """The object is in an archive, and must be restored before it can be read."""


class CustomerKeyRequired(Exception):
    """The object is encrypted with a key that only its uploader has (SSE-C)."""


class ObjectChanged(Exception):
    """The object no longer is what the caller asked for by its ETag."""


class Location(NamedTuple):
    """The address of an object. The key is any text S3 accepts; the URI holds it unescaped."""

    bucket: str
    key: str
    version_id: str | None = None

    @classmethod
    def parse(cls, uri: str) -> "Location":
        """Split `s3://bucket/key`. Raises ValueError for any other text."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket or not key:
            raise ValueError(f"not an s3://bucket/key address: {uri!r}")
        return cls(bucket, key)

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Artifact(BaseModel):
    """Immutable bytes that a task wrote: their address, SHA-256 and size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: int


class Stat(NamedTuple):
    """What is known of an object without reading it: size, ETag, version and metadata.

    `archive` is the archive that the object must be restored from before it can be read, or None.
    """

    bytes: int
    etag: str
    version_id: str | None
    metadata: dict[str, str]
    archive: str | None = None


class Content(NamedTuple):
    """The bytes of an object and its ETag, from one read."""

    content: bytes
    etag: str


class Listed(NamedTuple):
    """An object in a listing: its place, its size, and when it was written, to the second."""

    location: Location
    bytes: int
    written: datetime

    @property
    def key(self) -> str:
        return self.location.key


class Upload(Protocol):
    """An upload in pieces. The object does not exist before `complete`."""

    def write(self, content: bytes) -> None: ...

    def complete(self) -> None: ...

    def abort(self) -> None:
        """Delete the uploaded pieces; after `complete` it does nothing."""
        ...


class ArtifactStore(Protocol):
    """A store of artifacts.

    Its methods raise KeyError for a missing object, StoreUnavailable for an outage, AccessDenied
    for a missing permission, ObjectArchived, CustomerKeyRequired, or KeyUnusable.
    """

    def stat(self, location: Location) -> Stat: ...

    def read(self, location: Location) -> bytes: ...

    def read_range(self, location: Location, start: int, count: int, *, etag: str) -> bytes:
        """Return `count` bytes from `start`, all of them inside the object.

        Raises ObjectChanged if the object has another ETag.
        """
        ...

    def read_if_changed(self, location: Location, *, etag: str | None) -> Content | None:
        """Return the object's bytes and ETag, or None if it still has `etag`."""
        ...

    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact: ...

    def download(self, location: Location, path: Path) -> None: ...

    def upload(self, path: Path, location: Location, *, sha256: str) -> Artifact: ...

    def stream(self, location: Location) -> Iterator[bytes]: ...

    def begin(self, location: Location) -> Upload: ...

    def write_if_unchanged(
        self, location: Location, content: bytes, *, etag: str | None
    ) -> str | None:
        """Replace the object if it has `etag`, or create it if `etag` is None and there is none.

        Returns the new ETag, or None if another writer was first.
        """
        ...

    def delete_if_unchanged(self, location: Location, *, etag: str) -> None:
        """Delete the object if it still has `etag`."""
        ...

    def listing(self, prefix: Location, *, after: str = "") -> Iterator[Listed]:
        """Yield the objects whose keys begin with `prefix`'s key and come after `after`, by key."""
        ...

    def erase(self, location: Location) -> int:
        """Delete every version of the object, and every delete marker.

        Returns how many objects these were: 0 if it is missing, which is no error.
        """
        ...

    def erase_below(self, prefix: Location, *, ending: str = "") -> int:
        """Erase all objects whose keys begin with `prefix`'s key and end so; return how many."""
        ...


class ArtifactUpload:
    """Bytes on their way to a store, and the artifact that they make. `bytes` counts them."""

    def __init__(self, upload: Upload, location: Location) -> None:
        self._upload = upload
        self._location = location
        self._sha256 = hashlib.sha256()
        self.bytes = 0

    def write(self, content: bytes) -> None:
        self._sha256.update(content)
        self.bytes += len(content)
        self._upload.write(content)

    @property
    def artifact(self) -> Artifact:
        """What was written so far."""
        return Artifact(uri=self._location.uri, sha256=self._sha256.hexdigest(), bytes=self.bytes)


@contextmanager
def uploading(store: ArtifactStore, location: Location) -> Iterator[ArtifactUpload]:
    """Store what is written in the block; nothing after an error, or if nothing was written."""
    upload = store.begin(location)
    made = ArtifactUpload(upload, location)
    try:
        yield made
        if made.bytes:
            upload.complete()
    finally:
        upload.abort()


class LocalStore:
    """An `ArtifactStore` in a folder: `root/bucket/key`, each part of a key percent-encoded."""

    _one_at_a_time = threading.Lock()

    def __init__(self, root: Path) -> None:
        self.root = root

    def stat(self, location: Location) -> Stat:
        content = self.read(location)
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return Stat(len(content), etag, None, {})

    def read(self, location: Location) -> bytes:
        try:
            return self._path(location).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise KeyError(location.uri) from None

    def read_range(self, location: Location, start: int, count: int, *, etag: str) -> bytes:
        content = self.read(location)
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != etag:
            raise ObjectChanged(f"{location.uri} has another ETag than {etag}")
        return content[start : start + count]

    def read_if_changed(self, location: Location, *, etag: str | None) -> Content | None:
        content = self.read(location)
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return None if found == etag else Content(content, found)

    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact:  # noqa: ARG002 - folders hold no media types
        upload = self.begin(location)  # as in S3, nobody reads a part of an object
        upload.write(content)
        upload.complete()
        return Artifact(
            uri=location.uri, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)
        )

    def download(self, location: Location, path: Path) -> None:
        path.write_bytes(self.read(location))

    def upload(self, path: Path, location: Location, *, sha256: str) -> Artifact:
        artifact = self.write(location, path.read_bytes(), media_type="application/octet-stream")
        return artifact.model_copy(update={"sha256": sha256})

    def stream(self, location: Location) -> Iterator[bytes]:
        content = self.read(location)
        yield from (content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES))

    def begin(self, location: Location) -> Upload:
        return _FileUpload(self._path(location), self.root / f"upload-{uuid.uuid4().hex}")

    def write_if_unchanged(
        self, location: Location, content: bytes, *, etag: str | None
    ) -> str | None:
        with self._one_at_a_time:
            if self._etag(location) != etag:
                return None
            self.write(location, content, media_type="application/json")
            return self._etag(location)

    def delete_if_unchanged(self, location: Location, *, etag: str) -> None:
        with self._one_at_a_time:
            if self._etag(location) == etag:
                self._path(location).unlink()

    def listing(self, prefix: Location, *, after: str = "") -> Iterator[Listed]:
        folder = self.root / _file_name(prefix.bucket)
        paths = (path for path in folder.rglob("*") if path.is_file())
        found = sorted((_key(path.relative_to(folder)), path) for path in paths)
        for key, path in found:
            if key.startswith(prefix.key) and key > after:
                stat = path.stat()
                written = datetime.fromtimestamp(int(stat.st_mtime), UTC)
                yield Listed(Location(prefix.bucket, key), stat.st_size, written)

    def erase(self, location: Location) -> int:
        path = self._path(location)
        if not path.is_file():
            return 0
        path.unlink(missing_ok=True)
        return 1

    def erase_below(self, prefix: Location, *, ending: str = "") -> int:
        found = [each for each in self.listing(prefix) if each.location.key.endswith(ending)]
        return sum(self.erase(each.location) for each in found)

    def _etag(self, location: Location) -> str | None:
        try:
            return self.stat(location).etag
        except KeyError:
            return None

    def _path(self, location: Location) -> Path:
        parts = [location.bucket, *location.key.split("/")]
        if ".." in parts:
            raise ValueError(f"refusing to leave the store: {location.uri!r}")
        return self.root.joinpath(*(_file_name(part) for part in parts))


class _FileUpload:
    """An upload that collects its pieces in a file and renames it when complete."""

    def __init__(self, target: Path, partial: Path) -> None:
        self._target = target
        self._partial = partial

    def write(self, content: bytes) -> None:
        self._partial.parent.mkdir(parents=True, exist_ok=True)
        with self._partial.open("ab") as out:
            out.write(content)

    def complete(self) -> None:
        self.write(b"")
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._partial.replace(self._target)

    def abort(self) -> None:
        self._partial.unlink(missing_ok=True)


def _file_name(part: str) -> str:
    """Percent-encode a part of a key; `""` and `.`, which name no file, get names of their own."""
    return {"": "%", ".": "%2E"}.get(part) or quote(part, safe="")


def _key(path: Path) -> str:
    """Return the key of a file: the inverse of `_file_name`, for each part."""
    return "/".join("" if part == "%" else unquote(part) for part in path.parts)
