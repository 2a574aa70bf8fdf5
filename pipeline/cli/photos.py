"""`matteline demo`, `run` and `up`: photos through a local cloud, and a cloud for whoever asks."""

from __future__ import annotations

import contextlib
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from pipeline.cli import report
from pipeline.cli.marks import prompt_metadata
from pipeline.cli.options import (
    ROOT,
    images_option,
    model_option,
    output_option,
    weights_options,
)
from pipeline.cli.preflight import (
    option_metadata,
    require_free,
    require_photos,
    require_writable,
)
from pipeline.cli.samples import sample_photos
from pipeline.contracts.cutout import Refine
from pipeline.session.choice import ModelChoice

if TYPE_CHECKING:
    from pipeline.session.batch import Outcome, Photo

DEFAULT_PORT: Final = 8420
CONTACT_SHEET: Final = "contact-sheet.png"
POINT_HELP: Final = (
    "A place on the subject (or, with 0, off it), in pixels or 0–1; may be repeated."
)
BOX_HELP: Final = "A box around the subject; each of several is a subject of its own."


@click.command()
@output_option(default=Path("demo-output"), show_default=True)
@weights_options
def demo(output: Path, choice: ModelChoice) -> None:
    """Cut out sample photos: pictures, manifests and a contact sheet in the output folder."""
    from pipeline.session.batch import Photo

    photos = [Photo(path, path.stem) for path in sample_photos()]
    outcomes = _run_batch(photos, output=output, choice=choice, metadata={})
    # A photo the model sees nothing in has had its answer; only a failure spoils the demo.
    answered = {"DONE", "QUARANTINED"}
    sys.exit(any(outcome.status not in answered for outcome in outcomes))


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@output_option(default=Path("out"), show_default=True)
@model_option
@click.option("--refine", type=click.Choice(get_args(Refine)), help="How edges are made.")
@click.option("--format", type=click.Choice(["png", "webp"]), help="PNG unless you say so.")
@click.option("--effort", type=click.Choice(["fast", "small"]), help="How hard files are packed.")
@click.option("--background", metavar="#RRGGBB[AA]", help="Put the subject on a colour.")
@click.option("--crop", is_flag=True, help="Crop to the subject.")
@click.option("--margin", metavar="PERCENT", help="What a crop leaves around the subject.")
@click.option("--outputs", metavar="LIST", help="Any of cutout,mask,preview.")
@click.option("--point", "points", metavar="X,Y[,0]", multiple=True, help=POINT_HELP)
@click.option("--box", "boxes", metavar="X0,Y0,X1,Y1", multiple=True, help=BOX_HELP)
@images_option
@weights_options
def run(
    photos: tuple[Path, ...],
    output: Path,
    choice: ModelChoice,
    points: tuple[str, ...],
    boxes: tuple[str, ...],
    **options: Any,
) -> None:
    """Cut out PHOTOS (files or folders) through the same state machine that runs on AWS.

    Exit code 0 if every photo was cut out, 1 if not, 2 if the command itself was wrong.
    """
    from pipeline.session.batch import collect

    metadata = option_metadata(options) | prompt_metadata(points, boxes)
    require_photos(photos)
    found = collect(photos, output=output)
    if not found:
        raise click.UsageError("there are no photos in these folders")
    outcomes = _run_batch(found, output=output, choice=choice, metadata=metadata)
    sys.exit(not all(outcome.done for outcome in outcomes))


@click.command()
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535))
@model_option
@images_option
@weights_options
def up(port: int, choice: ModelChoice) -> None:
    """Keep the local cloud running and say what to type. Ctrl-C stops everything."""
    from pipeline.cli.manual import instructions, narrate
    from pipeline.session.session import session

    require_free(port)
    screen = report.console()
    say = functools.partial(screen.print, markup=False, highlight=False, soft_wrap=True)
    with (
        contextlib.suppress(KeyboardInterrupt),
        session(ROOT, choice, say=say, port=port) as cloud,
    ):
        say(instructions(cloud))
        narrate(cloud, say)


def _run_batch(
    photos: list[Photo], *, output: Path, choice: ModelChoice, metadata: dict[str, str]
) -> list[Outcome]:
    from pipeline.cli.contact_sheet import write_contact_sheet
    from pipeline.session.batch import cut_out
    from pipeline.session.session import session

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


PHOTO_COMMANDS: Final = (demo, run, up)
