"""Read how much memory a cloud has, and how it grows with photos: Linux only."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


class Memory:
    """Samples of a process's resident memory, and of all its descendants'."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.photos: list[int] = []
        self._cloud_mb: list[float] = []
        self.together_mb = 0.0

    def read(self, photos: int) -> None:
        """Take a sample, when so many photos are through."""
        self.photos.append(photos)
        self._cloud_mb.append(_resident_mb(self._pid))
        self.together_mb = max(
            self.together_mb, sum(map(_resident_mb, [self._pid, *descendants(self._pid)]))
        )

    def now(self) -> str:
        return f"{self._cloud_mb[-1]:,.0f} MB"

    def span(self, photos: int) -> str:
        first, last = self._after_first_tenth(photos)
        return f"{first[1]:,.0f} · {last[1]:,.0f}"

    def kb_a_photo(self, photos: int) -> float:
        """Return what the cloud grew by for each photo after the first tenth."""
        (early, small), (late, large) = self._after_first_tenth(photos)
        return (large - small) * 1024 / max(1, late - early)

    def _after_first_tenth(self, photos: int) -> tuple[tuple[int, float], tuple[int, float]]:
        later = [
            each for each in zip(self.photos, self._cloud_mb, strict=True) if each[0] >= photos / 10
        ]
        return later[0], later[-1]


def descendants(pid: int) -> list[int]:
    """Return every process that this one started, and those that they started."""
    children = defaultdict[int, list[int]](list)
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            after_name = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue
        children[int(after_name[1])].append(int(path.parent.name))
    found, ahead = [], [pid]
    while ahead:
        new = children[ahead.pop()]
        found += new
        ahead += new
    return found


def _resident_mb(pid: int) -> float:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)
