"""What a long run would pile up in memory, kept on disk, and removed when the process ends."""

from __future__ import annotations

import functools
import itertools
import pickle
import sqlite3
import threading
import zlib
from pathlib import Path
from typing import Any, Final

from pipeline.local.own_folder import OwnFolder

_FAST: Final = 1  # of zlib's levels
_SETTINGS: Final = (
    "journal_mode = MEMORY",  # a write that finds the disk full is undone
    "synchronous = OFF",  # no crash is outlived
    "cache_size = -256",
)
_TABLE: Final = "CREATE TABLE kept (shelf, name, content, PRIMARY KEY (shelf, name))"
_COUNT: Final = "SELECT count(*) FROM kept WHERE shelf = ?"
_NAMES: Final = "SELECT name FROM kept WHERE shelf = ?"
_KEPT: Final = "SELECT content FROM kept WHERE shelf = ? AND name = ?"
_ANNOUNCE: Final = "INSERT OR IGNORE INTO kept (shelf, name) VALUES (?, ?)"
_KEEP: Final = "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET content = ?3"


class Spill:
    """One file of folded values, by shelf and name, and a folder of files of bytes."""

    def __init__(self) -> None:
        self.lock: Final = threading.RLock()
        self._folder = OwnFolder()
        self._numbers = itertools.count()
        self._files = self._folder.path / "files"
        self._files.mkdir()
        self._database = sqlite3.connect(
            self._folder.path / "values", check_same_thread=False, isolation_level=None
        )
        for setting in _SETTINGS:
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute(_TABLE)

    def new_file(self) -> Path:
        """A path of its own; nothing is there yet."""
        return self._files / str(self.number())

    def number(self) -> int:
        return next(self._numbers)

    def announce(self, shelf: str, name: str) -> None:
        """Have the name among the names; its value may come later."""
        with self.lock:
            self._database.execute(_ANNOUNCE, (shelf, name))

    def put(self, shelf: str, name: str, value: Any) -> None:
        content = zlib.compress(pickle.dumps(value), _FAST)
        with self.lock:
            self._database.execute(_KEEP, (shelf, name, content))

    def get(self, shelf: str, name: str) -> Any:
        """The value as it was kept. KeyError if there is none."""
        with self.lock:
            row = self._database.execute(_KEPT, (shelf, name)).fetchone()
        if row is None:
            raise KeyError(name)
        return pickle.loads(zlib.decompress(row[0]))  # noqa: S301 - of this process's own making

    def drop(self, shelf: str, name: str) -> None:
        with self.lock:
            self._database.execute("DELETE FROM kept WHERE shelf = ? AND name = ?", (shelf, name))

    def count(self, shelf: str) -> int:
        with self.lock:
            row = self._database.execute(_COUNT, (shelf,)).fetchone()
        return int(row[0])

    def names(self, shelf: str) -> list[str]:
        """In no order."""
        with self.lock:
            rows = self._database.execute(_NAMES, (shelf,)).fetchall()
        return [name for (name,) in rows]

    def empty(self) -> None:
        """Drop everything: nobody is to ask for any of it again."""
        with self.lock:
            self._database.execute("DELETE FROM kept")
            for file in self._files.iterdir():
                file.unlink(missing_ok=True)  # its last reader may just have left


_MAKING: Final = threading.Lock()  # of two who ask first at once, each would get its own
_make: Final = functools.cache(Spill)


def spill() -> Spill:
    """The process's own."""
    with _MAKING:
        return _make()
