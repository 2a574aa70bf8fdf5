"""`matteline models tune`: measure a model's function with several memory sizes; propose one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.cli import report
from pipeline.cli.interrupts import undisturbed
from pipeline.cli.options import ROOT, Word, output_option, weights_options
from pipeline.cli.preconditions import require_writable
from pipeline.cli.site import named_failures, stage_option
from pipeline.cli.tuning_report import print_proposal, print_sizes, write_report
from pipeline.declared.declaration import MOST_MEMORY_MB
from pipeline.declared.models import ModelRow
from pipeline.declared.names import LOCAL_STAGE
from pipeline.declared.products import load_products
from pipeline.hardware import cores, cpu_family
from pipeline.operations.site import aws_site
from pipeline.operations.tuning import DEFAULT_SIZES, LEAST_MEMORY_MB, Preference, Size, Tuning
from pipeline.session.choice import ModelChoice
from pipeline.session.row_memory import line_of
from pipeline.session.session import read_catalogue

_PREFERENCES: Final = ("balanced", "speed", "cost")
_OUTPUT: Final = Path("tune-output")


class Memories(click.ParamType[tuple[int, ...]]):
    """Memory sizes in MB, separated by commas."""

    name = "MB,MB…"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        try:
            sizes = {int(part) for part in str(value).split(",")}
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers separated by commas", param, ctx)
        if odd := [size for size in sizes if not LEAST_MEMORY_MB <= size <= MOST_MEMORY_MB]:
            limits = f"{LEAST_MEMORY_MB} to {MOST_MEMORY_MB} MB"
            self.fail(f"a function has {limits}, not {min(odd)}", param, ctx)
        return tuple(sorted(sizes))


@click.command("tune")
@click.argument("name")
@click.option(
    "--memory",
    "sizes",
    type=Memories(),
    help=f"Sizes to try [default: {','.join(map(str, DEFAULT_SIZES))}, and the row's own].",
)
@click.option(
    "--input",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="File to process here; repeatable [default: the container's golden event].",
)
@click.option(
    "--repeats",
    type=click.IntRange(1, 50),
    default=3,
    show_default=True,
    help="Warm calls with each size and input.",
)
@click.option(
    "--prefer",
    type=Word(_PREFERENCES),
    default=_PREFERENCES[0],
    show_default=True,
    help="What counts: both, the time of a call, or its price.",
)
@click.option("--write", is_flag=True, help="Write the proposed memory into the model's row.")
@click.option("--yes", is_flag=True, help="Do not ask before calls on a stage, which cost money.")
@output_option(default=_OUTPUT, show_default=True)
@stage_option
@weights_options
def tune(  # noqa: PLR0913 - click passes options by name
    name: str,
    *,
    sizes: tuple[int, ...] | None,
    files: tuple[Path, ...],
    repeats: int,
    prefer: Preference,
    write: bool,
    yes: bool,
    output: Path,
    stage: str,
    choice: ModelChoice,
) -> None:
    """Find the memory that suits a model's function.

    Measures time, price and peak memory of the model's task with several memory sizes. Here, the
    task runs in processes of the local cloud; times for a fraction of a CPU, or for more CPUs than
    there are, are calculated from CPU-seconds. With --stage, temporary versions of the function are
    called; `live` stays as it is. Exit code 1 if no size holds the task.
    """
    if files and stage != LOCAL_STAGE:
        raise click.UsageError("--input works here only: a stage is tuned with the golden event")
    row = read_catalogue(ROOT, choice).usable(name)
    require_writable(output)
    wanted = sizes or tuple(sorted({*DEFAULT_SIZES, min(row.memory_mb, MOST_MEMORY_MB)}))
    trial = _Trial(row, files, wanted, repeats, choice)
    screen = report.console()
    where, tried = _here(trial, screen) if stage == LOCAL_STAGE else _there(trial, stage, yes=yes)
    tuning = Tuning(
        model=row.name,
        container=row.container,
        where=where,
        cores=cores() if stage == LOCAL_STAGE else None,
        given=", ".join(file.name for file in files) or "golden event",
        golden=not files,
        present_mb=row.memory_mb,
        prefer=prefer,
        sizes=tuple(tried),
    )
    say = report.printer(screen)
    print_sizes(screen, tuning)
    print_proposal(say, tuning)
    picture, figures = write_report(tuning, output)
    say(f"\nPicture and figures: {picture}, {figures}")
    if write and tuning.proposed:
        _write(tuning, tuning.proposed, choice, say)
    sys.exit(tuning.proposed is None)


@dataclass(frozen=True)
class _Trial:
    """What to try: the model, its inputs, the sizes, and how often."""

    row: ModelRow
    files: Sequence[Path]
    sizes: Sequence[int]
    repeats: int
    choice: ModelChoice


def _here(trial: _Trial, screen: Console) -> tuple[str, list[Size]]:
    """Return what this machine is, and the sizes as processes of a local cloud measured them."""
    from pipeline.session import tuning
    from pipeline.session.session import keeping_cloud, reaching

    row, choice = trial.row, trial.choice
    tuning.require_measurable(row)
    say = report.printer(screen)
    with (
        reaching(choice, say=say) as reach,
        keeping_cloud(ROOT, choice, reach, say=say, defaults=_defaults(row), products=()) as cloud,
    ):
        if trial.files:
            task = tuning.given_task(cloud, row, reach, trial.files)
        else:
            task = tuning.golden_task(cloud, row, reach)
        sizes = []
        with _progress(screen, len(trial.sizes)) as tell:
            for memory_mb in trial.sizes:
                sizes.append(tuning.measure(ROOT, task, memory_mb, repeats=trial.repeats))
                tell(sizes[-1])
    return f"{cores()} cores here ({cpu_family() or 'unknown CPU'})", sizes


def _defaults(row: ModelRow) -> tuple[str, ...]:
    """Return the model as its container's default, unless it can only be asked for by name."""
    return () if row.takes_prompts or not row.commercial else (row.name,)


def _there(trial: _Trial, stage: str, *, yes: bool) -> tuple[str, list[Size]]:
    """Return the function's name, and the sizes as Lambda reports its temporary versions."""
    from pipeline.operations import stage_tuning
    from pipeline.session.tuning import container_folder

    row, sizes = trial.row, trial.sizes
    with named_failures(stage):
        site = aws_site(stage, load_products(ROOT))
        try:
            subject = stage_tuning.find_subject(site, row)
            most = stage_tuning.most_dollars(subject, sizes, repeats=trial.repeats)
            calls = len(sizes) * (trial.repeats + 1)
            click.echo(
                f"{calls} calls of temporary versions of {subject.name} cost at most ${most:,.2f}, "
                f"if each takes {subject.timeout_s:,.0f} s. `live` stays as it is.",
                err=True,
            )
            if not yes:
                click.confirm("Go on?", abort=True, err=True)
            with _progress(report.console(), len(sizes)) as tell:
                tried = stage_tuning.tune(
                    subject,
                    container_folder(ROOT, row.container),
                    sizes,
                    repeats=trial.repeats,
                    on_size=tell,
                    undisturbed=undisturbed,
                )
        except stage_tuning.NotTunable as error:
            raise click.ClickException(str(error)) from error
    return f"Lambda in {site.names.region} ({stage})", tried


def _write(tuning: Tuning, proposed: Size, choice: ModelChoice, say: Callable[[str], None]) -> None:
    """Write the proposed memory into the row, and say what comes next."""
    from pipeline.session.row_memory import write_memory
    from pipeline.session.tuning import container_folder

    if tuning.golden and proposed.memory_mb < tuning.present_mb:
        raise click.ClickException(
            "not written: the golden event is small, so it cannot lower the memory\n"
            "Pass your largest files with --input, or change the row by hand."
        )
    folder = container_folder(ROOT, tuning.container)
    path = write_memory(
        [*choice.overlays, folder / "models.toml"], tuning.model, proposed.memory_mb
    )
    say(f"Wrote {line_of(proposed.memory_mb)} to {path}.")
    if path.parent == folder:
        say(
            f"Then: `matteline containers bump {tuning.container}`, a line in CHANGELOG.md, and "
            "`make deploy`."
        )


@contextmanager
def _progress(screen: Console, sizes: int) -> Iterator[Callable[[Size], None]]:
    """Show how many sizes are done; yield a callback for each that is."""
    columns = (
        TextColumn("Trying {task.fields[sizes]} memory sizes"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        bar = bars.add_task("", total=sizes, sizes=sizes)
        yield lambda _size: bars.advance(bar)
