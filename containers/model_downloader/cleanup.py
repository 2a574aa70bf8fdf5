"""Clean up without hiding an earlier error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def afterwards(clean_up: Callable[[], None]) -> Iterator[None]:
    """Call `clean_up` when the block ends.

    If the block raised, an error of `clean_up` becomes a note of that first error.
    """
    try:
        yield
    except BaseException as first:
        try:
            clean_up()
        except Exception as second:  # noqa: BLE001 - whatever it is, it comes second
            text = str(second).partition("\n")[0]
            first.add_note(f"cleaning up failed too: {type(second).__name__}: {text}")
        raise
    clean_up()
