"""`matteline`: the local cloud on the command line. Errors are one line and a hint."""

from __future__ import annotations

import contextlib
import functools
import io
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from pipeline.errors import InvalidOptions, LicenseNotAccepted, PipelineError, UnknownModel
from pipeline.local import report
from pipeline.local.batch import Outcome, Photo, collect, cut_out
from pipeline.local.contact_sheet import write_contact_sheet
from pipeline.local.manual import instructions, narrate
from pipeline.local.preflight import (
    option_metadata,
    require_free,
    require_photos,
    require_writable,
)
from pipeline.local.samples import sample_photos
from pipeline.local.session import ModelChoice, read_catalogue, session
from pipeline.manifest import load_containers

ROOT: Final = Path(__file__).parent.parent
DEFAULT_PORT: Final = 8420
CONTACT_SHEET: Final = "contact-sheet.png"


def weights_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --mirror, --catalogue and --accept-licence; with `model`, they are one ModelChoice."""

    @click.option(
        "--mirror",
        envvar="MATTELINE_WEIGHTS_MIRROR",
        help="Folder or URL that holds weights by file name; tried before a model's own sources.",
    )
    @click.option(
        "--catalogue",
        "overlays",
        envvar="MATTELINE_CATALOGUE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        multiple=True,
        help="Catalogue file layered over the shipped one; may be repeated.",
    )
    @click.option(
        "--accept-licence",
        "accepted_licences",
        envvar="MATTELINE_ACCEPTED_LICENCES",
        metavar="NAME",
        multiple=True,
        help="Accept a non-commercial licence by the name the catalogue gives it; may be repeated.",
    )
    @functools.wraps(command)
    def with_choice(
        mirror: str | None,
        overlays: tuple[Path, ...],
        accepted_licences: tuple[str, ...],
        model: str | None = None,
        **rest: Any,
    ) -> None:
        command(choice=ModelChoice(model, mirror, overlays, accepted_licences), **rest)

    return with_choice


model_option = click.option("--model", help="Catalogue name; by default the first that can be had.")
output_option = functools.partial(click.option, "-o", "--output", type=click.Path(path_type=Path))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--verbose", is_flag=True, help="Show the trace of an error.")
def matteline(*, verbose: bool) -> None:
    """Drop a photo, get a cut-out: the whole pipeline, offline."""


@matteline.command()
@output_option(default=Path("demo-output"), show_default=True)
@weights_options
def demo(output: Path, choice: ModelChoice) -> None:
    """Cut out sample photos: pictures, manifests and a contact sheet in the output folder."""
    photos = [Photo(path, path.stem) for path in sample_photos()]
    outcomes = _run_batch(photos, output=output, choice=choice, metadata={})
    # A photo the model sees nothing in has had its answer; only a failure spoils the demo.
    answered = {"DONE", "QUARANTINED"}
    sys.exit(any(outcome.status not in answered for outcome in outcomes))


@matteline.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@output_option(default=Path("out"), show_default=True)
@model_option
@click.option("--refine", type=click.Choice(["auto", "fast", "none"]), help="How edges are made.")
@click.option("--format", type=click.Choice(["png", "webp"]), help="PNG unless you say so.")
@click.option("--background", metavar="#RRGGBB", help="Put the subject on a colour.")
@click.option("--crop", is_flag=True, help="Crop to the subject.")
@click.option("--outputs", metavar="LIST", help="Any of cutout,mask,preview.")
@weights_options
def run(photos: tuple[Path, ...], output: Path, choice: ModelChoice, **options: Any) -> None:
    """Cut out PHOTOS (files or folders) through the same state machine that runs on AWS.

    Exit code 0 if every photo was cut out, 1 if not, 2 if the command itself was wrong.
    """
    metadata = option_metadata(options)
    require_photos(photos)
    found = collect(photos, output=output)
    if not found:
        raise click.UsageError("there are no photos in these folders")
    outcomes = _run_batch(found, output=output, choice=choice, metadata=metadata)
    sys.exit(not all(outcome.done for outcome in outcomes))


@matteline.command()
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535))
@model_option
@weights_options
def up(port: int, choice: ModelChoice) -> None:
    """Keep the local cloud running and say what to type. Ctrl-C stops everything."""
    require_free(port)
    screen = report.console()
    say = functools.partial(screen.print, markup=False, highlight=False, soft_wrap=True)
    with (
        contextlib.suppress(KeyboardInterrupt),
        session(ROOT, choice, say=say, port=port) as cloud,
    ):
        say(instructions(cloud))
        narrate(cloud, say)


@matteline.group()
def models() -> None:
    """Look at the model catalogue."""


@models.command("list")
@weights_options
def list_models(choice: ModelChoice) -> None:
    """Every model row: its licence, memory, what it is for, and what it falls back on."""
    catalogue = read_catalogue(ROOT, choice)
    for row in catalogue.rows:
        fallback = f" (fallback: {row.fallback})" if row.fallback else ""
        refused = "" if catalogue.accepts(row) else " (licence not accepted)"
        licence = f"{row.licence:13}{row.memory_mb:>6} MB"
        click.echo(f"{row.name:24}{licence}  {row.summary}{fallback}{refused}")


@matteline.group()
def containers() -> None:
    """Look at the containers."""


@containers.command("list")
def list_containers() -> None:
    """Every container: its version, job and limits."""
    for row in load_containers(ROOT):
        limits = f"{row.memory_mb} MB, {row.timeout_s} s"
        click.echo(f"{row.name:20}{row.version:8}{row.job:18}{limits:16}{row.summary}")


def main() -> None:
    """Run the command line; a named error is one line and a hint, exit code 1 (2: wrong usage)."""
    # A background job starts with SIGINT ignored; a closed terminal sends SIGHUP.
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        matteline()
    except PipelineError as error:
        if "--verbose" in sys.argv:
            raise
        click.echo(f"{type(error).__name__}: {error.message}\n{error.hint}", err=True)
        usage = UnknownModel | InvalidOptions | LicenseNotAccepted
        sys.exit(2 if isinstance(error, usage) else 1)


def _run_batch(
    photos: list[Photo], *, output: Path, choice: ModelChoice, metadata: dict[str, str]
) -> list[Outcome]:
    require_writable(output)
    screen = report.console()
    say = functools.partial(screen.print, markup=False, highlight=False, soft_wrap=True)
    with (
        session(ROOT, choice, say=say) as cloud,
        report.progress_bar(screen, len(photos)) as advance,
    ):
        outcomes = cut_out(cloud, photos, options=metadata, output=output, on_progress=advance)
    report.print_table(screen, outcomes)
    write_contact_sheet(outcomes, output / CONTACT_SHEET)
    if any(outcome.done for outcome in outcomes):
        say(f"Pictures, manifests and {CONTACT_SHEET} are in {output}/")
    return outcomes
