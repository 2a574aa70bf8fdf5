"""What Ctrl-C, a request to terminate and a closed terminal do to a command."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

INTERRUPTED: Final = 130  # exit code, as shells have it for Ctrl-C
SHOWN: Final = "Interrupted."
# A background job ignores SIGINT from its start; a closed terminal sends SIGHUP.
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def exit_when_interrupted() -> None:
    """End the process at once, until the command begins: so far there is nothing to clean up."""
    for each in _SIGNALS:
        signal.signal(each, _exit)


def raise_when_interrupted() -> None:
    """Raise KeyboardInterrupt in the main thread, from now on."""
    for each in _SIGNALS:
        signal.signal(each, signal.default_int_handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let a block finish that cleans up: an interrupt meanwhile is raised when it is done."""
    came: list[int] = []
    before = {each: signal.getsignal(each) for each in _SIGNALS}
    for each in _SIGNALS:
        signal.signal(each, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if came:
        raise KeyboardInterrupt


def _exit(_signal: int, _frame: object) -> None:
    # An exception could be caught, or shown, by the module that is just being loaded.
    os.write(2, f"{SHOWN}\n".encode())
    os._exit(INTERRUPTED)
