"""Divide the work of one call among the threads that the call has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from pipeline import hardware

T = TypeVar("T")
R = TypeVar("R")

_THREADS: Final[ContextVar[int | None]] = ContextVar("_THREADS", default=None)


@contextmanager
def sharing(count: int) -> Iterator[None]:
    """Let `each` use this many threads inside the block. Outside any block it has one per core."""
    before = _THREADS.set(count)
    try:
        yield
    finally:
        _THREADS.reset(before)


def threads() -> int:
    """Return how many threads this call has, for a library that divides its own work."""
    return _THREADS.get() or hardware.cores()


def each(pieces: Iterable[T], work: Callable[[T], R]) -> list[R]:
    """Return the results of `work` for every piece, in order; raise the first error.

    `work` itself has one thread: what it divides is done piece by piece.
    """
    if threads() == 1:
        return [work(piece) for piece in pieces]
    with ThreadPoolExecutor(threads(), initializer=_THREADS.set, initargs=(1,)) as pool:
        return list(pool.map(work, pieces))
