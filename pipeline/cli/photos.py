"""`matteline demo`, `run` and `up`: process photos in a local cloud, or keep one running."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from pipeline.cli.interrupts import INTERRUPTED
from pipeline.cli.options import (
    ROOT,
    Word,
    images_option,
    model_option,
    output_option,
    prompt_metadata,
    weights_options,
)
from pipeline.cli.preconditions import (
    require_free,
    require_photos,
    require_scratch,
    require_writable,
)
from pipeline.contracts.cutout_words import Effort, PictureFormat, Refine
from pipeline.session.agreement import terms_of
from pipeline.session.choice import ModelChoice

if TYPE_CHECKING:
    from pipeline.cli.contact_sheet import ContactSheet
    from pipeline.session.batch import Outcome, Photo
    from pipeline.session.collecting import Collection, Skipped

DEFAULT_PORT: Final = 8420
# scikit-image's samples, public domain or CC0: a person, a cat, a cup and a rocket
SAMPLES: Final = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
_ALWAYS_VALID: Final = {"refine", "crop"}  # click has checked them, and they contradict nothing
POINT_HELP: Final = "Point on the subject (`,0`: background), in pixels or 0–1; repeatable."
BOX_HELP: Final = "Box around a subject, in pixels or 0–1; repeat it for several subjects."


@click.command()
@output_option(default=Path("demo-output"), show_default=True)
@weights_options
def demo(output: Path, choice: ModelChoice) -> None:
    """Cut out sample photos.

    Writes output images, output records and a contact sheet to the output folder.
    """
    from pipeline.session.collecting import collect

    found = collect(sample_photos(), output=output)
    # A sample in which the model finds no subject is quarantined: the demo still succeeds.
    expected = frozenset({"DONE", "QUARANTINED"})
    sys.exit(_run_batch(found, output=output, choice=choice, metadata={}, expected=expected))


@click.command()
@click.argument(
    "photos",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, readable=False, path_type=Path),
)
@output_option(default=Path("out"), show_default=True)
@model_option
@click.option("--refine", type=Word(get_args(Refine)), help="Edge refinement [default: auto].")
@click.option(
    "--format",
    type=Word(get_args(PictureFormat)),
    help="Output format; jpeg needs a --background [default: png].",
)
@click.option(
    "--effort",
    type=Word(get_args(Effort)),
    help="Compression; `small` makes smaller files, more slowly [default: fast].",
)
@click.option(
    "--background",
    metavar="#RRGGBB[AA]",
    help="Colour behind the subject [default: transparent].",
)
@click.option("--crop", is_flag=True, help="Crop to the subject.")
@click.option(
    "--margin",
    metavar="PERCENT",
    help="Margin around a crop, in percent of the subject's longer side [default: 0].",
)
@click.option(
    "--size",
    metavar="PIXELS",
    help="Most pixels on the longer side of every output image [default: the photo's own].",
)
@click.option(
    "--outputs",
    metavar="LIST",
    help="Any of cutout, mask and preview, separated by commas [default: cutout].",
)
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
    """Cut out PHOTOS with the same state machine as on AWS.

    PHOTOS are files or folders. Exit code 0: every photo was cut out; 1: some were not; 2: the
    command was wrong; 130: it was interrupted.
    """
    from pipeline.session.collecting import collect

    # As an option too, so that a model of another product is refused and not passed over.
    named = {"model": choice.name} if choice.name else {}
    metadata = named | option_metadata(options) | prompt_metadata(points, boxes)
    require_photos(photos)
    found = collect(photos, output=output)
    sys.exit(_run_batch(found, output=output, choice=choice, metadata=metadata))


@click.command()
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port on 127.0.0.1; 0 takes any free port.",
)
@model_option
@images_option
@weights_options
def up(port: int, choice: ModelChoice) -> None:
    """Start the local cloud and print commands to try.

    Reports every execution that ends. Ctrl-C stops everything.
    """
    from pipeline.cli.manual import instructions, narrate
    from pipeline.session.session import session

    require_free(port)
    say = click.echo
    terms = terms_of(ROOT, choice)
    with (
        contextlib.suppress(KeyboardInterrupt),
        session(ROOT, choice, say=say, terms=terms, port=port, shared=True) as running,
    ):
        say(instructions(running.cloud))
        narrate(running.subscriptions, say)


def sample_photos() -> list[Path]:
    """Return the paths of the sample photos, files of the installed scikit-image."""
    from importlib.resources import files

    return [Path(str(files("skimage") / "data" / name)) for name in SAMPLES]


def _run_batch(
    found: Collection,
    *,
    output: Path,
    choice: ModelChoice,
    metadata: dict[str, str],
    expected: frozenset[str] = frozenset({"DONE"}),
) -> int:
    """Process the photos, print what happened to each file, and return the exit code.

    It is 0 if each photo has an `expected` status. If interrupted, finished photos are reported.
    """
    from pipeline.session.batch import uploading
    from pipeline.session.cloud_for_run import cloud_for_run

    say = click.echo
    if found.skipped:
        _print_skipped(found.skipped)
    if not found.photos and not found.lost:
        raise click.UsageError("no photos found in the given files and folders")
    require_writable(output)
    require_scratch()
    outcomes: dict[Photo, Outcome] = {}
    sheet: ContactSheet | None = None
    interrupted = False
    try:
        with (
            cloud_for_run(ROOT, choice, say=say, photos_at_once=len(found.photos)) as cloud,
            uploading(cloud, found.photos, options=metadata) as batch,
        ):
            # Imported while the first photos are in the cloud.
            from pipeline.cli.contact_sheet import ContactSheet
            from pipeline.cli.report import console, progress_bar

            sheet = ContactSheet(found.photos, output)
            with progress_bar(console(), len(found.photos)) as advance:

                def on_progress(outcome: Outcome) -> None:
                    outcomes[outcome.photo] = outcome
                    sheet.add(outcome)
                    advance(outcome)

                batch.bring_home(output, on_progress)
            if not all(row.done for row in outcomes.values()) and cloud.disk_is_full():
                full = f"The disk of {cloud.greeting.scratch} is full"
                say(f"{full}: set TMPDIR to a folder with more space.")
    except KeyboardInterrupt:
        interrupted = True
    rows = [*found.lost, *(outcomes[photo] for photo in found.photos if photo in outcomes)]
    _print_table(rows)
    if sheet:
        sheet.finish()
        for line in (*sheet.troubles, *_where(sheet.pages, output)):
            say(line)
    if interrupted:
        stopped = len(found.photos) - len(outcomes)
        say(f"Interrupted: {stopped:,} of {len(found.photos):,} photos were not finished.")
        return INTERRUPTED
    return int(any(row.status not in expected for row in rows))


def _print_skipped(skipped: Sequence[Skipped]) -> None:
    from pipeline.cli.report import print_skipped

    print_skipped(click.echo, skipped)


def _print_table(rows: Sequence[Outcome]) -> None:
    from pipeline.cli.report import console, print_table

    print_table(console(), rows)


def _where(pages: Sequence[str], output: Path) -> Iterator[str]:
    """Yield a line that says where the results are; nothing without a contact sheet."""
    if pages:
        sheets = pages[0] if len(pages) == 1 else f"{pages[0]} to {pages[-1]}"
        yield f"Output images, output records and {sheets} are in {output}/"


def option_metadata(chosen: dict[str, Any]) -> dict[str, str]:
    """Return the chosen options as object metadata.

    Raises UsageError if one is invalid, or if two contradict each other.
    """
    fields = {name: value for name, value in chosen.items() if value not in {None, False}}
    texts = {name: "true" if value is True else str(value) for name, value in fields.items()}
    if not fields.keys() - _ALWAYS_VALID:
        return texts
    from pydantic import ValidationError

    from pipeline.contracts.cutout import CutoutOptions
    from pipeline.contracts.written import problems, read_text

    typed = {name: read_text(CutoutOptions, name, text) for name, text in texts.items()}
    try:
        options = CutoutOptions.model_validate({"model": "unnamed", **typed})
    except ValidationError as error:
        wrong = [
            f"--{problem.field.partition('.')[0]}: {problem.sentence}"
            for problem in problems(error, CutoutOptions)
        ]
        raise click.UsageError("; ".join(wrong)) from error
    if contradictions := [
        f"--{found.option} contradicts --{found.other}: {found.why}"
        for found in options.contradictions()
    ]:
        raise click.UsageError("; ".join(contradictions))
    return texts
