"""Print the figures of one part as a table, each next to the peer's figure and its aim."""

from __future__ import annotations

from rich.table import Table

from pipeline.cli.report import console


class Missing(Exception):
    """Data or a peer is missing, so a part measures nothing; the message says what to do."""


class Figures:
    """The table of one part. A figure with an aim is met or missed."""

    def __init__(self, title: str, *, peer: str = "") -> None:
        self._table = Table("figure", "Matteline", peer or "peer", "aim", "", title=title)

    def add(self, name: str, ours: str, peer: str = "") -> None:
        self._table.add_row(name, ours, peer, "", "")

    def at_most(self, name: str, ours: float, most: float, *, form: str, peer: str = "") -> None:
        """Add a figure that meets its aim if it is no larger; `form` is a format of numbers."""
        self._judged(name, (format(ours, form), peer, f"≤ {most:{form}}"), met=ours <= most)

    def at_least(self, name: str, ours: float, least: float, *, form: str, peer: str = "") -> None:
        self._judged(name, (format(ours, form), peer, f"≥ {least:{form}}"), met=ours >= least)

    def _judged(self, name: str, cells: tuple[str, str, str], *, met: bool) -> None:
        self._table.add_row(name, *cells, "met" if met else "missed")

    def show(self) -> None:
        console().print(self._table)
