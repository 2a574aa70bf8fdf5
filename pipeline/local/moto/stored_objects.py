"""The objects of a bucket of moto's: their bytes in files, what is said of them on a shelf."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from moto.s3.models import FakeKey
from moto.s3.utils import _VersionedKeyStore

from pipeline.local.moto.shelf import Shelf
from pipeline.local.moto.spill import spill


class _File:
    """Of a path there is one, however often what is said of its object came back from disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def remove_when_unused(self) -> None:
        weakref.finalize(self, self.path.unlink, missing_ok=True).atexit = False


class Body:
    """An object's bytes, in a file that is open only while it is read or written."""

    def __init__(self, _most_in_memory: int = 0) -> None:
        self._file = _file(spill().new_file())
        self._at = 0

    def __reduce__(self) -> tuple[Callable[[Path], Body], tuple[Path]]:
        """Copied and kept as the name of its file."""
        return _body, (self.path,)

    @property
    def path(self) -> Path:
        return self._file.path

    def seek(self, at: int) -> None:
        self._at = at

    def truncate(self) -> None:
        with self.path.open("ab") as file:
            file.truncate(self._at)

    def write(self, content: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek(self._at)
            self._at += file.write(content)

    def read(self, size: int = -1) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self._at)
            content = file.read(size)
        self._at += len(content)
        return content

    def close(self) -> None:
        """The object is deleted: remove the file as soon as nobody is about to read it."""
        self._file.remove_when_unused()


_FILES: Final = weakref.WeakValueDictionary[Path, _File]()


def _file(path: Path) -> _File:
    with spill().lock:
        return _FILES.setdefault(path, _File(path))


def _body(path: Path) -> Body:
    body = Body.__new__(Body)
    body._file, body._at = _file(path), 0
    return body


def state_of(key: Any) -> dict[str, Any]:
    """What an object of moto's is copied and kept as: all but its lock; its bytes stay one file."""
    return {name: value for name, value in vars(key).items() if name != "lock"}


def restore(key: Any, state: dict[str, Any]) -> None:
    vars(key).update(state, lock=threading.Lock())


class StoredObjects(_VersionedKeyStore):  # type: ignore[misc]  # moto is untyped
    """The versions of every key, oldest first, for moto's own, which has them in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._shelf = Shelf()

    def __sgetitem__(self, key: str) -> list[Any]:
        versions: list[Any] = self._shelf[key]
        return versions

    def __setitem__(self, key: str, value: Any) -> None:
        with spill().lock:
            self._shelf[key] = [*self.getlist(key, []), value]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self._shelf

    def __iter__(self) -> Iterator[str]:
        return iter(self._shelf)

    def __len__(self) -> int:
        return len(self._shelf)

    def setlist(self, key: str, list_: list[Any]) -> None:
        """Keep these versions of a key; the others are deleted.

        Nobody sees a version before its ETag is known: moto reads the body for it without a lock,
        and moves the place that another reader is at.
        """
        for version in list_:
            if isinstance(version, FakeKey):
                version.etag  # noqa: B018 - kept once it was asked for
        with spill().lock:
            _delete(self.getlist(key, []), but=list_)
            self._shelf[key] = list_

    def pop(self, key: str) -> None:
        _delete(self._shelf.pop(key), but=())

    def items(self) -> Iterator[tuple[str, Any]]:
        return ((key, versions[-1]) for key, versions in self._shelf.items())

    def values(self) -> Iterator[Any]:
        return (newest for _, newest in self.items())

    def iterlists(self) -> Iterator[tuple[str, list[Any]]]:
        return self._shelf.items()

    def item_size(self) -> int:
        return sum(sys.getsizeof(versions) for _, versions in self._shelf.items())

    lists, iteritems, itervalues = iterlists, items, values


def _delete(versions: Iterable[Any], *, but: Iterable[Any]) -> None:
    """Remove the bytes of versions, unless they are another's too."""
    kept = {body.path for body in _bodies(but)}
    for body in _bodies(versions):
        if body.path not in kept:
            body.close()


def _bodies(versions: Iterable[Any]) -> Iterator[Body]:
    """All there are: delete markers have none, what came in parts has those of the parts too."""
    for version in versions:
        if isinstance(version, FakeKey):
            yield version._value_buffer
            yield from _bodies(version.multipart.parts.values() if version.multipart else ())
