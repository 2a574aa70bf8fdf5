"""Write files that are either whole or not there.

A new file is written next to its final name and then renamed, which replaces an earlier file in one
step. It is not flushed to the disk first: if the process dies, the system still has the written
bytes, and after a power failure a second run makes the file again.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PREFIX: Final = ".matteline-"  # hidden, and short: the final name may be as long as names can be
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextlib.contextmanager
def partial_file(target: Path) -> Iterator[Path]:
    """Yield the path of a new, empty file in the folder of `target`; delete it when the block ends.

    The caller writes it and renames it to `target`. Missing folders are created. An OSError of the
    block names `target`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{_PREFIX}{secrets.token_hex(8)}")
    try:
        partial.touch(exist_ok=False)
        yield partial
    except OSError as error:
        if error.filename in {None, str(partial)}:
            error.filename = str(target)
        raise
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yield the path of a new file; rename it to `target` if the block succeeds, else delete it.

    An earlier file keeps its permissions; if `target` is a link, the file it leads to is replaced.
    """
    place = target.resolve()
    with partial_file(place) as partial:
        yield partial
        if place.exists():
            shutil.copymode(place, partial)
        partial.replace(place)


def is_full(error: OSError) -> bool:
    """Return True if the error says that there is no room: on the disk, or in a quota."""
    return error.errno in _FULL


def reason_of(error: OSError) -> str:
    """Return an error without its number: `out/cat.png: No space left on device`."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
