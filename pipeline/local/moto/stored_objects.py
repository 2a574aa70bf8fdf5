"""Keep the objects of moto's buckets on disk: their bytes in files, the rest on shelves."""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from moto.s3.models import FakeKey

from pipeline.local.moto.shelf import Shelf
from pipeline.local.own_folder import OwnFolder


@functools.cache
def bodies() -> OwnFolder:
    """The folder of all bodies of this process."""
    return OwnFolder()


# What a request has: its body, in a file that the new object takes over; and whether the bytes of
# objects are passed on as `OnDisk`.
RECEIVED: Final[ContextVar[Body | None]] = ContextVar("received", default=None)
READ_FROM_DISK: Final = ContextVar("read_from_disk", default=False)
_BLOCK: Final = 2**20


class OnDisk:
    """Bytes of a file, from `start` on, which are read when they are asked for."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        self.path = path
        self._start = start
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> OnDisk:
        start, stop, _ = part.indices(self._size)
        return OnDisk(self.path, self._start + start, max(0, stop - start))

    def __iter__(self) -> Iterator[bytes]:
        """Yield blocks; the file may be deleted meanwhile."""
        left = self._size
        with self.path.open("rb") as file:
            file.seek(self._start)
            while block := file.read(min(left, _BLOCK)):
                left -= len(block)
                yield block


class Body:
    """An object's bytes, in a file that is open only while it is read or written.

    moto closes the body of an object that is deleted; the file is removed once no reader has it.
    """

    _deleted = False

    def __init__(self, _most_in_memory: int = 0) -> None:
        self.path = bodies().path / f"{uuid.uuid4()}.body"
        self._at = 0

    def seek(self, at: int) -> None:
        self._at = at

    def truncate(self) -> None:
        """Do nothing: `write` replaces all bytes."""

    def write(self, content: bytes) -> None:
        self.path.unlink(missing_ok=True)  # another object may have the same file
        self.path.write_bytes(content)

    def take(self, other: Path) -> None:
        """Have the same bytes as another body: no body is changed, only replaced."""
        self.path.unlink(missing_ok=True)
        self.path.hardlink_to(other)

    def read(self, size: int = -1) -> bytes:
        """Return all of the rest, or its next bytes: at most a block, and `size`."""
        with self.path.open("rb") as file:
            file.seek(self._at)
            content = file.read(min(size, _BLOCK))
        self._at += len(content)
        return content

    def close(self) -> None:
        self._deleted = True

    def __del__(self) -> None:
        if self._deleted:
            self.path.unlink(missing_ok=True)


class StoredObject(FakeKey):  # type: ignore[misc]  # moto is untyped
    """An object whose copies, pickled ones included, share the file of its body."""

    __hash__ = FakeKey.__hash__

    @property
    def value(self) -> Any:
        if READ_FROM_DISK.get():
            return OnDisk(self._file, 0, self.contentsize)
        return FakeKey.value.fget(self)

    @value.setter
    def value(self, content: Any) -> None:
        received = content.path if isinstance(content, OnDisk) else RECEIVED.get()
        if isinstance(received, Body):
            received = received.path
        if received is None:
            FakeKey.value.fset(self, content)
        else:
            self._value_buffer.take(received)
            self.contentsize = received.stat().st_size

    def __eq__(self, other: object) -> bool:
        """Compare files: a version read from disk twice is the same."""
        return isinstance(other, StoredObject) and self._file == other._file

    @property
    def _file(self) -> Path:
        path: Path = self._value_buffer.path
        return path

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, lock=threading.Lock())

    def __del__(self) -> None:
        """Do nothing: moto closes the body, which a copy may still need."""


class StoredObjects(Shelf):
    """The versions of every key of a bucket, oldest first; a key's value is its newest version.

    It has the methods that moto calls on its `_VersionedKeyStore`, a dict in memory.
    """

    def __getitem__(self, key: str) -> Any:
        versions = self.getlist(key)
        if not versions:
            raise KeyError(key)
        return versions[-1]

    def __setitem__(self, key: str, value: Any) -> None:
        self.setlist(key, [*self.getlist(key, []), value])

    def getlist(self, key: str, default: Any = None) -> Any:
        try:
            return super().__getitem__(key)
        except KeyError:
            return default

    def setlist(self, key: str, list_: list[Any]) -> None:
        """Set the versions of a key and delete its others.

        ETags are computed first: on first use, moto reads the body without a lock for it, which
        moves the position of another reader.
        """
        for version in list_:
            if isinstance(version, StoredObject):
                version.etag  # noqa: B018
        before = self.getlist(key, [])
        super().__setitem__(key, list_)
        _close(version for version in before if version not in list_)

    def pop(self, key: str) -> None:  # type: ignore[override]  # moto passes no default
        versions = self.getlist(key, [])
        del self[key]
        _close(versions)

    def iterlists(self) -> Iterator[tuple[str, list[Any]]]:
        return super().items()

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        return ((key, versions[-1]) for key, versions in self.iterlists() if versions)

    def item_size(self) -> int:
        """Return 0 if there are no objects; moto asks for no more."""
        return len(self)


def _close(versions: Iterable[Any]) -> None:
    """Close the bodies; a delete marker has none."""
    for version in versions:
        if isinstance(version, StoredObject):
            version.dispose()
