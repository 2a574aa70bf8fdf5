"""Print the catalogue by what users want, with time and price: readable in 100 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pipeline.declared.catalogue import Catalogue
from pipeline.declared.models import ModelRow
from pipeline.session.kept_weights import recorded_here
from pipeline.session.media import KINDS

_OTHERS: Final = "Others"
_LAYOUT: Final = "{:<29}{:>8}{:>12}{:>10}  {:<18}{}"
_NOTE: Final = (
    "Time and price are of the network alone in its Lambda function, measured on a network of the "
    "same\nshape: docs/figures.md. A line without them was not measured."
)


def print_catalogue(say: Callable[[str], None], catalogue: Catalogue) -> None:
    """Print each group's rows: time, price, memory, licence, fallback; what they are below.

    Groups of photos come first, then those of faces and of recordings.
    """
    for title, containers in _parts(catalogue):
        part = catalogue.of(*containers)
        if not part.rows:
            continue
        say(_LAYOUT.format(title, "each", "$ per 1,000", "memory", "licence", "fallback").rstrip())
        for group, rows in part.grouped():
            say(f"\n{group or _OTHERS}")
            for row in rows:
                say(_figures(row, catalogue).rstrip())
                for line in _words(row, catalogue):
                    say(f"      {line}")
        say("")
    say(_NOTE)


def _parts(catalogue: Catalogue) -> Iterator[tuple[str, list[str]]]:
    """Yield what models are for, and the containers of these models."""
    listed = set[str]()
    for kind in KINDS.values():
        owners = {role["container"] for role in kind.roles.values()}
        yield f"For {kind.title}", [each for each in catalogue.defaults if each in owners - listed]
        listed |= owners
    yield "For others", [each for each in catalogue.defaults if each not in listed]


def _figures(row: ModelRow, catalogue: Catalogue) -> str:
    measured = catalogue.measured_of(row)
    seconds = f"{measured.seconds_with(row.memory_mb):.1f} s" if measured else ""
    dollars = f"{measured.dollars_per_1000(row.memory_mb):.2f}" if measured else ""
    memory = "" if row.hosted else f"{row.memory_mb:,} MB"
    return _LAYOUT.format(
        f"  {row.name}", seconds, dollars, memory, row.licence, row.fallback or ""
    )


def _words(row: ModelRow, catalogue: Catalogue) -> Iterator[str]:
    """Yield the row's summary, and what a user must know before choosing it."""
    yield row.summary
    if not catalogue.accepts(row):
        yield "Licence not accepted: it does not allow commercial use."
    if not row.verified:
        recorded = recorded_here(row)
        told = "Recorded here:" if recorded else "The first staging records one."
        yield f"Unverified: no published digest. {told}"
        yield from (
            f"sha256:{recorded[file.name]}  {file.name}"
            for file in row.files
            if file.digest is None and file.name in recorded
        )
    if row.lifecycle and row.lifecycle.ends:
        yield f"Ends on {row.lifecycle.ends}, as announced by {row.lifecycle.read}."
    elif row.lifecycle:
        yield f"No end had been announced by {row.lifecycle.read}."
