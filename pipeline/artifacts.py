"""Bytes with an address and a checksum, and the stores they live in."""

import hashlib
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, StringConstraints


class Location(NamedTuple):
    """Where an object lives. A key is any text S3 accepts, written into the URI unescaped."""

    bucket: str
    key: str
    version_id: str | None = None

    @classmethod
    def parse(cls, uri: str) -> "Location":
        """Split `s3://bucket/key`; raise ValueError for anything else."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket or not key:
            raise ValueError(f"not an s3://bucket/key address: {uri!r}")
        return cls(bucket, key)

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Artifact(BaseModel):
    """Immutable bytes a task wrote: where they are and what they must hash to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: int


class Stat(NamedTuple):
    """What a store knows about an object without reading it."""

    bytes: int
    etag: str
    version_id: str | None
    metadata: dict[str, str]


class ArtifactStore(Protocol):
    """Where artifacts live. A missing object raises `KeyError`, an outage `StoreUnavailable`."""

    def stat(self, location: Location) -> Stat: ...

    def read(self, location: Location) -> bytes: ...

    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact: ...

    def download(self, location: Location, path: Path) -> None: ...

    def upload(self, path: Path, location: Location, *, sha256: str) -> Artifact: ...


class LocalStore:
    """A folder that behaves like a store: `root/bucket/key`, each part of a key percent-encoded."""

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

    def write(self, location: Location, content: bytes, *, media_type: str) -> Artifact:  # noqa: ARG002 - a folder keeps no media types
        path = self._path(location)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return Artifact(
            uri=location.uri, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)
        )

    def download(self, location: Location, path: Path) -> None:
        path.write_bytes(self.read(location))

    def upload(self, path: Path, location: Location, *, sha256: str) -> Artifact:
        artifact = self.write(location, path.read_bytes(), media_type="application/octet-stream")
        return artifact.model_copy(update={"sha256": sha256})

    def _path(self, location: Location) -> Path:
        parts = [location.bucket, *location.key.split("/")]
        if ".." in parts:
            raise ValueError(f"refusing to leave the store: {location.uri!r}")
        return self.root.joinpath(*(_file_name(part) for part in parts))


def _file_name(part: str) -> str:
    """Percent-encoded; the parts no folder can hold get names that no other part has."""
    return {"": "%", ".": "%2E"}.get(part) or quote(part, safe="")
