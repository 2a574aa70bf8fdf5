"""Cleaning up without hiding what made it necessary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def afterwards(clean_up: Callable[[], None]) -> Iterator[None]:
    """Call `clean_up` on the way out.

    An error already on its way wins: what goes wrong while cleaning up becomes a note of it.
    """
    try:
        yield
    except BaseException as first:
        try:
            clean_up()
        except Exception as second:  # noqa: BLE001 - whatever it is, it comes second
            text = str(second).partition("\n")[0]
            first.add_note(f"Cleaning up failed too: {type(second).__name__}: {text}")
        raise
    clean_up()
