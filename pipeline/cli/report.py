"""Print a progress bar while photos run, and tables of results."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.session.kept_weights import ABSENT, OK, Copy

if TYPE_CHECKING:
    from pipeline.session.batch import Outcome
    from pipeline.session.stager import StagedModel

_COLOURS = {"DONE": "green", "QUARANTINED": "yellow"}
_WIDE = 110  # columns; narrower terminals omit the times
_TIMED_TASKS = ("Inspect", "StageWeights", "RemoveBackground", "RefineEdges")


def console() -> Console:
    """Return a console; in a file or pipe it is 200 columns wide, so that paths stay whole."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=200)


@contextlib.contextmanager
def progress_bar(screen: Console, total: int) -> Iterator[Callable[[Outcome], None]]:
    """Show a progress bar; yield a callback that advances it by one finished photo."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        bar = progress.add_task("Cutting out", total=total)
        yield lambda _: progress.advance(bar)


def print_table(screen: Console, outcomes: Sequence[Outcome]) -> None:
    """Print a row per photo: status, model, milliseconds per task, result or reason."""
    table = Table("photo", "status", "model")
    timed = _TIMED_TASKS if screen.width >= _WIDE else ()
    for task in timed:
        table.add_column(f"{task}\nms", justify="right")
    table.add_column("result", overflow="fold")
    for outcome in outcomes:
        colour = _COLOURS.get(outcome.status, "red")
        times = [_milliseconds(outcome.task_ms.get(task)) for task in timed]
        result = _shown(outcome.picture) if outcome.picture else outcome.reason
        status = f"[{colour}]{outcome.status}[/]"
        table.add_row(escape(outcome.photo.name), status, outcome.model, *times, escape(result))
    screen.print(table)


def print_staged(screen: Console, staged: Sequence[StagedModel]) -> None:
    """Print a row per model: status, size in MB, and the sources or the reason it failed."""
    table = Table("model", "status")
    table.add_column("MB", justify="right")
    table.add_column("from", overflow="fold")
    for model in staged:
        status = "[red]FAILED[/]" if model.reason else "[green]STAGED[/]"
        size = "" if model.reason else f"{model.bytes / 1e6:,.1f}"
        origin = model.reason or "\n".join(model.sources)
        table.add_row(escape(model.model), status, size, escape(origin))
    screen.print(table)


def print_copies(screen: Console, copies: Sequence[Copy]) -> None:
    """Print a row per copy of a file, or per file without a copy."""
    table = Table("model", "file")
    table.add_column("verdict", overflow="fold")
    table.add_column("copy", overflow="fold")
    for copy in copies:
        colour = {OK: "green", ABSENT: "default"}.get(copy.verdict, "red")
        verdict = f"[{colour}]{escape(copy.verdict)}[/]"
        table.add_row(escape(copy.model), escape(copy.file), verdict, escape(copy.place))
    screen.print(table)


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
