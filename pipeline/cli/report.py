"""Print a progress bar while photos run, and tables of results."""

from __future__ import annotations

import contextlib
import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from pipeline.session.batch import Outcome
    from pipeline.session.collecting import Skipped
    from pipeline.session.kept_weights import Copy
    from pipeline.session.stager import StagedModel

_COLOURS = {"DONE": "green", "QUARANTINED": "yellow"}
_WIDE = 110  # columns; narrower terminals omit the times
MOST_ROWS = 50  # a larger batch gets rows for its failures only
_MOST_NAMES = 8  # of skipped files, for each reason
_TIMED_TASKS = ("Inspect", "StageWeights", "RemoveBackground", "RefineEdges")


def console() -> Console:
    """Return a console; in a file or pipe it is 200 columns wide, so that paths stay whole."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=200)


def printer(screen: Console) -> Callable[[str], None]:
    """Return a function that prints a text as it is: not wrapped, and without markup or colours."""
    return functools.partial(screen.print, markup=False, highlight=False, soft_wrap=True)


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


def print_skipped(say: Callable[[str], None], skipped: Sequence[Skipped]) -> None:
    """Print a line for each reason to skip files: how many, the reason, their names."""
    reasons: defaultdict[str, list[Path]] = defaultdict(list)
    for each in skipped:
        reasons[each.why].append(each.path)
    for why, paths in reasons.items():
        names = ", ".join(printable(_shown(path)) for path in paths[:_MOST_NAMES])
        more = f" and {len(paths) - _MOST_NAMES:,} more" if len(paths) > _MOST_NAMES else ""
        say(f"SKIPPED {len(paths):,} ({why}): {names}{more}")


def print_table(screen: Console, outcomes: Sequence[Outcome]) -> None:
    """Print a row per photo: status, model, milliseconds per task, result or reason.

    Of more than 50 photos, only failures get a row. Counts follow if there is a failure or a photo
    without a row.
    """
    many = len(outcomes) > MOST_ROWS
    rows = [outcome for outcome in outcomes if not (many and outcome.done)]
    if rows:
        screen.print(_table(rows, timed=screen.width >= _WIDE))
    if many or not all(outcome.done for outcome in outcomes):
        counts = Counter(outcome.status for outcome in outcomes)
        told = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
        photos = "1 photo" if len(outcomes) == 1 else f"{len(outcomes):,} photos"
        screen.print(f"Of {photos}: {told}", highlight=False)


def _table(outcomes: Sequence[Outcome], *, timed: bool) -> Table:
    table = Table("photo", "status", "model")
    tasks = _TIMED_TASKS if timed else ()
    for task in tasks:
        table.add_column(f"{task}\nms", justify="right")
    table.add_column("result", overflow="fold")
    for outcome in outcomes:
        colour = _COLOURS.get(outcome.status, "red")
        times = [_milliseconds(outcome.task_ms.get(task)) for task in tasks]
        result = printable(_shown(outcome.picture) if outcome.picture else outcome.reason)
        status = f"[{colour}]{outcome.status}[/]"
        name = escape(printable(outcome.photo.name))
        table.add_row(name, status, outcome.model, *times, escape(result))
    return table


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
    from pipeline.session.kept_weights import ABSENT, OK

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


def printable(text: str) -> str:
    """Escape what a file's name may hold and a terminal must not get, such as line breaks."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )
