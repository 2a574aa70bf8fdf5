"""Print collections, what became of actions, who searched, and candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import click
from rich.markup import escape
from rich.table import Table

from pipeline.cli.printable import counted, printable
from pipeline.cli.report import console, printer
from pipeline.contracts.collection import (
    AllowedChanged,
    Collection,
    CollectionCreated,
    CollectionDeleted,
    Compacted,
    Forgotten,
    Moved,
)
from pipeline.contracts.collection_enrolments import Enrolled
from pipeline.contracts.collection_runs import Enrolments, PrefixEnrolled
from pipeline.contracts.collection_searches import Query, Search, Searched
from pipeline.contracts.contract import Result

CANDIDATES: Final = (
    "These are candidates, not identities: a person must look before anything is decided."
)


def print_collections(found: Sequence[Collection]) -> None:
    """Print one line for each collection."""
    if not found:
        click.echo("no collections")
        return
    table = Table("name", "vectors", "model", "backend", "index", "retention", "changed")
    table.add_column("purpose", overflow="fold")
    for each in found:
        table.add_row(
            each.name,
            f"{each.vectors:,}",
            each.model,
            each.backend,
            each.index,
            counted(each.consent.retention_days, "day"),
            when(each.changed_at),
            escape(each.consent.purpose),
        )
    console().print(table)


def print_collection(each: Collection) -> None:
    """Print why a collection exists, what is in it, and who may search it."""
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(each):
        facts.add_row(name, escape(text))
    console().print(facts)


def _facts(each: Collection) -> Iterator[tuple[str, str]]:
    yield "collection", each.name
    yield "purpose", each.consent.purpose
    yield "legal basis", each.consent.legal_basis
    yield "retention", counted(each.consent.retention_days, "day")
    yield "vectors", f"{each.vectors:,}, and {each.forgotten:,} that wait to be erased"
    yield "erased", f"within {counted(each.erase_within_days, 'day')} after they are forgotten"
    made = f" of {each.dimension} numbers" if each.dimension else ""
    yield "model", f"{each.model}{made}"
    if each.same_above is not None:
        yield "same above", f"{each.same_above:g}"
    moving = f", moving to {each.moving_to}" if each.moving_to else ""
    yield "backend", f"{each.backend}{moving}; {each.index}; {_objects(each)}"
    yield "may search", _searchers(each.allowed)
    yield "created", when(each.created_at)
    yield "changed", when(each.changed_at)


def _searchers(allowed: Iterable[str]) -> str:
    return ", ".join(["operators", *allowed])


def _objects(each: Collection) -> str:
    return f"{counted(each.segments, 'segment')}, {each.bytes / 1e6:,.1f} MB"


def print_searches(found: Sequence[Search]) -> None:
    """Print one line for each search that was written down."""
    table = Table("when", "faces", "matches", "k", "threshold", "one person")
    table.add_column("asked by", overflow="fold")
    table.add_column("search", overflow="fold")
    for each in found:
        table.add_row(
            when(each.at),
            f"{each.queries}",
            f"{each.matches}",
            f"{each.k}",
            f"{each.threshold:g}",
            "yes" if each.person_filter else "",
            escape(each.asked_by),
            each.search,
        )
    console().print(table)


def print_result(result: Result) -> None:
    """Print what became of an action."""
    for line in _lines(result):
        printer(console())(line)


def _lines(result: Result) -> Iterator[str]:
    match result:
        case CollectionCreated():
            yield f"{result.collection} is {'created' if result.created else 'there already'}."
        case AllowedChanged():
            yield f"{result.collection} may be searched by {_searchers(result.allowed)}"
        case Enrolled():
            yield _enrolled(result, result)
        case PrefixEnrolled():
            for why, count in result.counts.skipped.items():
                yield f"SKIPPED {counted(count, 'record')}: {why}"
            yield _enrolled(result, result.counts)
        case Forgotten():
            yield from _forgotten(result)
        case Compacted():
            yield from _compacted(result)
        case Moved():
            yield _moved(result)
        case CollectionDeleted():
            yield f"{result.collection} is deleted: {counted(result.objects, 'object')}"
            yield f"Receipt: {result.receipt.uri}"


def _forgotten(result: Forgotten) -> Iterator[str]:
    yield f"Forgotten in {result.collection}: {counted(result.forgotten, 'vector')}"
    if not result.forgotten:
        yield "It had none: it was forgotten before, or the ID or key was enrolled as another."
    if result.photos:
        yield "The files of faces of these photos are deleted too; the photos themselves stay:"
        yield from (f"  {printable(key)}" for key in result.photos)
    yield f"Erased by {when(result.erased_by)} at the latest"
    yield f"Receipt: {result.receipt.uri}"


def _moved(result: Moved) -> str:
    if not result.moved:
        return f"{result.collection}: nothing to move; {counted(result.total, 'vector')} are there"
    return f"{result.collection}: {result.moved:,} of {result.total:,} vectors moved"


def _compacted(result: Compacted) -> Iterator[str]:
    yield (
        f"{result.collection}: {counted(result.erased, 'vector')} erased, "
        f"{counted(result.objects, 'object')} deleted; "
        f"{counted(result.vectors, 'vector')} in {counted(result.segments, 'segment')}"
    )
    if result.recall is not None:
        yield f"Recall of the index: {result.recall:.3f}; it is {result.index} now."
    if result.refused:
        yield result.refused


def _enrolled(whole: Enrolled | PrefixEnrolled, counts: Enrolled | Enrolments) -> str:
    return (
        f"Enrolled in {whole.collection}: {counted(counts.enrolled, 'vector')}, "
        f"{counts.known:,} known already; "
        f"it has {whole.vectors:,} in {counted(whole.segments, 'segment')}"
    )


def require_vectors(photo: str, count: int) -> None:
    """Raise ClickException for a photo without a face that could be compared."""
    if not count:
        hint = "Take a photo in which the face is larger, sharper or seen from the front."
        raise click.ClickException(f"{photo} has no face that is large and clear enough\n{hint}")


def print_found(searched: Searched, named: Callable[[str], str] = str) -> None:
    """Print the candidates of each face; `named` is how a photo's key is shown."""
    screen = console()
    say = printer(screen)
    for query in searched.queries:
        say(f"Face {query.subject}{_where(query)}: {_candidates(query)}")
        if query.matches:
            screen.print(_matches(query, named))
    say(
        f"Compared with {counted(searched.searched, 'vector')}; "
        f"shown from a similarity of {searched.threshold:g}."
    )
    say(CANDIDATES)


def _candidates(query: Query) -> str:
    return counted(len(query.matches), "candidate") if query.matches else "no candidates"


def _where(query: Query) -> str:
    box = query.box
    if box is None:
        return ""
    return f" ({box.width:.0f} × {box.height:.0f} pixels at {box.x:.0f}, {box.y:.0f})"


def _matches(query: Query, named: Callable[[str], str]) -> Table:
    """Return a table of candidates; what was never enrolled has neither person nor date."""
    columns = {
        "similarity": [f"{match.similarity:.3f}" for match in query.matches],
        "person": [match.person or "" for match in query.matches],
        "face": [f"{match.subject}" for match in query.matches],
        "enrolled": [_day(match.enrolled_at) for match in query.matches],
        "photo": [named(match.key) for match in query.matches],
    }
    table = Table()
    for name, texts in columns.items():
        if any(texts):
            table.add_column(name, overflow="fold")
    for row in zip(*(texts for texts in columns.values() if any(texts)), strict=True):
        table.add_row(*map(escape, row))
    return table


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d}" if moment else ""


def found_as_json(searched: Searched, named: Callable[[str], str] = str) -> dict[str, Any]:
    """Return the answer as it is, with photos' keys as they are shown."""
    answer = searched.model_dump(mode="json", exclude={"metrics", "provenance", "schema_version"})
    matches: Iterable[dict[str, Any]] = (
        match for query in answer["queries"] for match in query["matches"]
    )
    for match in matches:
        match["key"] = named(match["key"])
    return answer


def named_by(paths: Mapping[str, object]) -> Callable[[str], str]:
    """Return a function that shows the keys of these photos as their paths."""
    return lambda key: str(paths.get(key, key))


def when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
