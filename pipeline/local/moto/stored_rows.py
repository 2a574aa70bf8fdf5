"""The rows of a table of moto's, on a shelf, where its only key is a text."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from pipeline.local.moto.shelf import Shelf


class StoredRows:
    """What moto asks of the rows of a table by its hash keys."""

    def __init__(self) -> None:
        self._shelf = Shelf()

    def __getitem__(self, key: Any) -> Any:
        return self._shelf[key.value]

    def __setitem__(self, key: Any, row: Any) -> None:
        self._shelf[key.value] = row

    def __contains__(self, key: Any) -> bool:
        return key.value in self._shelf

    def pop(self, key: Any) -> Any:
        return self._shelf.pop(key.value)

    def values(self) -> Iterator[Any]:
        return (row for _, row in self._shelf.items())

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        """A backup, or what a transaction returns to: in memory, as moto has it."""
        rows = [copy.deepcopy(row, memo) for row in self.values()]
        return {row.hash_key: row for row in rows}
