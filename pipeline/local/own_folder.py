"""Create temporary folders that are removed with their process.

If a process was killed, the next one removes its folder. A process finds what the user's other
processes left in theirs.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = "matteline-"
_HELD: Final = "held"  # a file that its process keeps locked
_LONGEST_ADDRESS: Final = 107  # bytes of a Unix socket's address, for Linux


class OwnFolder(tempfile.TemporaryDirectory[str]):
    """A new folder that only this user can enter; creating it removes folders of dead processes."""

    def __init__(self) -> None:
        _remove_abandoned()
        super().__init__(prefix=_PREFIX)
        new = Path(self.name) / "new"
        self._held = new.open("wb")
        fcntl.flock(self._held, fcntl.LOCK_EX)
        new.rename(new.with_name(_HELD))  # other processes look for this name: lock first

    @property
    def path(self) -> Path:
        return Path(self.name)

    def cleanup(self) -> None:
        super().cleanup()
        self._held.close()


def in_own_folders(name: str) -> Iterator[Path]:
    """Yield the path of each entry called `name` in an own folder, of any user or process."""
    yield from Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{name}")


def is_private(folder: Path) -> bool:
    """Return True if only this user can have put something into the folder."""
    try:
        found = folder.lstat()  # a link's own owner and kind, not those of what it leads to
    except OSError:
        return False
    open_to_others = stat.S_IMODE(found.st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not open_to_others


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """Provide the address with which to bind or connect a Unix socket at `path`.

    On Linux, a path that is too long for an address is replaced by a shorter one of the same file.
    Raises OSError if the folder of such a path cannot be opened.
    """
    if sys.platform != "linux" or len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _remove_abandoned() -> None:
    for held in in_own_folders(_HELD):
        folder = held.parent
        if _is_mine(folder) and _is_abandoned(held):
            shutil.rmtree(folder, ignore_errors=True)


def _is_mine(folder: Path) -> bool:
    """Return True if this user owns the folder: then no other user can replace it."""
    try:
        return folder.lstat().st_uid == os.geteuid()
    except FileNotFoundError:
        return False


def _is_abandoned(held: Path) -> bool:
    try:
        with held.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True
