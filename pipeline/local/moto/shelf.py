"""Values by name, as in a dict that may grow without growing in memory."""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from pipeline.local.moto.spill import spill

IN_USE_S: float = (
    5  # whoever asked for a value may change it for so long; a request takes milliseconds
)
_MOST_WARM: Final = 64  # beside those in use


class Shelf:
    """Those used last are there as they are, the others on disk until they are asked for.

    A value may be changed while it is in use; it is kept as it is when others take its place.
    """

    def __init__(self) -> None:
        self._name = str(spill().number())
        self._warm: OrderedDict[str, tuple[Any, float]] = OrderedDict()  # and when it was asked for

    def __len__(self) -> int:
        return spill().count(self._name)

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        """The names, in no order."""
        return iter(spill().names(self._name))

    def __getitem__(self, name: str) -> Any:
        """The value itself. KeyError if there is none."""
        with spill().lock:
            return self._warm_up(name, self._look_at(name))

    def __setitem__(self, name: str, value: Any) -> None:
        with spill().lock:
            spill().announce(self._name, name)
            self._warm_up(name, value)

    def pop(self, name: str) -> Any:
        with spill().lock:
            value = self._look_at(name)
            self._warm.pop(name, None)
            spill().drop(self._name, name)
        return value

    def items(self) -> Iterator[tuple[str, Any]]:
        """All there is; what is on disk stays there, and what goes meanwhile is left out."""
        for name in self:
            with contextlib.suppress(KeyError):
                yield name, self._look_at(name)

    def _look_at(self, name: str) -> Any:
        with spill().lock:
            return self._warm[name][0] if name in self._warm else spill().get(self._name, name)

    def _warm_up(self, name: str, value: Any) -> Any:
        now = time.monotonic()
        self._warm[name] = value, now
        self._warm.move_to_end(name)
        while len(self._warm) > _MOST_WARM:
            oldest, (folded, asked_for) = next(iter(self._warm.items()))
            if now - asked_for < IN_USE_S:
                break
            spill().put(self._name, oldest, folded)  # if it does not fit on the disk, it stays
            del self._warm[oldest]
        return value
