"""Report what tuning found: a table, a picture, and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.cli.tuning_picture import draw
from pipeline.operations.tuning import OUT_OF_MEMORY, Size, Tuning
from pipeline.session.row_memory import line_of
from pipeline.session.whole_files import whole_file


def print_sizes(screen: Console, tuning: Tuning) -> None:
    """Print a row for each size: time, price, memory; the proposed one is marked."""
    table = Table(title=f"{tuning.model}: {tuning.given}, on {tuning.where}", title_justify="left")
    for name in ("memory", "CPUs", "warm call", "", "$ per 1,000", "peak", "start", "first call"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_column("")
    for size in tuning.sizes:
        mark = "[green]proposed[/]" if size == tuning.proposed else ""
        if size.memory_mb == tuning.present_mb:
            mark = f"{mark} now".strip()
        table.add_row(
            f"{size.memory_mb:,} MB",
            f"{size.cpus:.2f}",
            _shown(size.seconds, "{:.3g} s"),
            "calculated" if size.calculated else "",
            _shown(size.dollars_per_1000, "{:.4f}"),
            _shown(size.peak_mb, "{:,.0f} MB"),
            _shown(size.start_s, "{:.2g} s"),
            _shown(size.load_s, "+{:.2g} s"),
            f"[red]{escape(size.error)}[/]" if size.error else mark,
        )
    screen.print(table)


def print_proposal(say: Callable[[str], None], tuning: Tuning) -> None:
    """Print the line for `models.toml`, or why there is none."""
    best = tuning.proposed
    if best is None and tuning.golden and tuning.sizes[-1].error not in {"", OUT_OF_MEMORY}:
        say("The golden event gives no result with this model: pass files with --input.")
        return
    if best is None:
        say("No size holds this task: try larger ones with --memory.")
        return
    say(f"Proposed ({tuning.prefer}), in the row of {tuning.model}:\n\n  {line_of(best.memory_mb)}")
    if best.calculated and tuning.cores and best.cpus > tuning.cores:
        say("\nThis machine has fewer CPUs than that: check it with --stage, or measure elsewhere.")
    if tuning.golden:
        say("\nThe golden event is small: to lower the memory, pass large files with --input.")


def write_report(tuning: Tuning, output: Path) -> tuple[Path, Path]:
    """Write the picture and the figures to a folder, and return both paths."""
    picture, figures = (output / f"tune-{tuning.model}.{kind}" for kind in ("svg", "json"))
    with whole_file(picture) as partial:
        partial.write_text(draw(tuning), encoding="utf-8")
    with whole_file(figures) as partial:
        partial.write_text(json.dumps(_figures(tuning), indent=2) + "\n", encoding="utf-8")
    return picture, figures


def _figures(tuning: Tuning) -> dict[str, Any]:
    best = tuning.proposed
    return {
        **asdict(tuning),
        "sizes": [_size(size) for size in tuning.sizes],
        "proposed_mb": best.memory_mb if best else None,
    }


def _size(size: Size) -> dict[str, Any]:
    return {**asdict(size), "cpus": size.cpus, "dollars_per_1000": size.dollars_per_1000}


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
