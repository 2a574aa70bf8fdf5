"""`matteline demo`, `run` and `faces` process media in a local cloud; `up` keeps one running."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from pipeline.cli.lazy_commands import LazyCommands
from pipeline.cli.media_group import MediaGroup
from pipeline.cli.media_options import MediaCommand, options_by_product, require_effect
from pipeline.cli.options import (
    ROOT,
    Word,
    batch_option,
    compute_option,
    images_option,
    model_option,
    output_option,
    weights_options,
)
from pipeline.cli.preconditions import require_free, require_media, require_writable
from pipeline.cli.run_batch import run_batch
from pipeline.declared.names import LOCAL_NAMES
from pipeline.errors import WeightsMismatch, WeightsUnavailable
from pipeline.session.agreement import terms_of
from pipeline.session.choice import ModelChoice
from pipeline.session.media import FACES, KINDS, PHOTO
from pipeline.session.run_messages import RunRequest

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud
    from pipeline.session.batch import Outcome

DEFAULT_PORT: Final = 8420
_EXPORTS: Final = "exports/"  # of collections: they are for one person, for a day
# scikit-image's samples, public domain or CC0: a person, a cat, a cup and a rocket
SAMPLES: Final = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")


@click.command()
@output_option(default=Path("demo-output"), show_default=True)
@weights_options
def demo(output: Path, choice: ModelChoice) -> None:
    """Make cutouts, faces and a transcript of samples.

    Writes the results, output records and a contact sheet to the output folder.
    """
    from pipeline.session.collecting import Collection, collect
    from pipeline.session.package_files import PackageUnusable
    from pipeline.session.sample import sample_recording

    require_writable(output)
    recordings = []
    try:
        sample = sample_recording(output, click.echo)
        recordings.append(sample.path)
        click.echo(f"Recording: {sample.path}, {sample.origin}")
    except (PackageUnusable, WeightsMismatch) as error:
        click.echo(
            f"No transcript: espeak-ng is not installed, and no package has a sample: {error}"
        )
    photos = sample_photos()
    found = collect([*photos, *recordings], output=output)
    people = collect(photos[:1], output=output, product=FACES.product)
    both = Collection([*found.files, *people.files], found.lost, found.skipped)
    options = {FACES.product: {"preview": "true", "redact": "blur"}}
    # A sample in which the model finds no subject is quarantined, and a model of the others may be
    # out of reach, as the table then says: the demo still succeeds.
    sys.exit(run_batch(both, output=output, choice=choice, options=options, may_fail=_is_no_fault))


def _is_no_fault(outcome: Outcome) -> bool:
    """Return True for what may become of a sample although all is well."""
    if outcome.file.kind is PHOTO:
        return outcome.status == "QUARANTINED"
    return outcome.reason.startswith(WeightsUnavailable.__name__)


_media_argument: Final = click.argument(
    "media",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, readable=False, path_type=Path),
)
_results_option: Final = output_option(default=Path("out"), show_default=True)


@click.command(cls=MediaCommand)
@_media_argument
@_results_option
@click.option(
    "--product", type=Word(KINDS), help="Product to make of every file [default: by its content]."
)
@model_option
@compute_option
@images_option
@weights_options
def run(
    media: tuple[Path, ...],
    output: Path,
    product: str | None,
    choice: ModelChoice,
    **chosen: Any,
) -> None:
    """Make cutouts of photos and transcripts of recordings.

    MEDIA are files or folders. `--product faces` finds the faces of the photos instead. Exit code
    0: every file became a product; 1: some did not; 2: the command was wrong; 130: it was
    interrupted.
    """
    _run(media, output, product, choice, chosen)


@click.command(cls=MediaGroup, commands=LazyCommands({"find": "finding"}), products=[FACES.product])
@_media_argument
@_results_option
@model_option
@images_option
@weights_options
def faces(media: tuple[Path, ...], output: Path, choice: ModelChoice, **chosen: Any) -> None:
    """Find the faces of photos; hide or describe them if asked.

    MEDIA are photos or folders. Writes where the faces are, and what the options ask for. Exit code
    0: every photo was searched; 1: some were not; 2: the command was wrong; 130: it was
    interrupted.
    """
    _run(media, output, FACES.product, choice, chosen)


def _run(
    media: tuple[Path, ...],
    output: Path,
    product: str | None,
    choice: ModelChoice,
    chosen: Mapping[str, Any],
) -> NoReturn:
    from pipeline.session.collecting import collect

    options = options_by_product(chosen)
    require_media(media)
    found = collect(media, output=output, product=product)
    if found.files:
        require_effect(options, {file.kind for file in found.files if file.kind})
    sys.exit(run_batch(found, output=output, choice=choice, options=options))


@click.command()
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port on 127.0.0.1; 0 takes any free port.",
)
@click.option(
    "--on-request",
    metavar="PRODUCT=PREFIX",
    multiple=True,
    help="Also make this product of uploads below a prefix, such as faces=people/; repeatable.",
)
@click.option(
    "--collections",
    "kept",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder where collections of faces are kept [default: they end with the cloud].",
)
@model_option
@batch_option
@images_option
@weights_options
def up(port: int, on_request: tuple[str, ...], kept: Path | None, choice: ModelChoice) -> None:
    """Start the local cloud and print commands to try.

    Reports every execution that ends. Ctrl-C stops everything.
    """
    from pipeline.cli.manual import instructions, narrate
    from pipeline.session.session import session

    require_free(port)
    prefixes = _read_prefixes(on_request)
    say = click.echo
    request = RunRequest(terms_of(ROOT, choice), choice.name, [PHOTO.product])
    with (
        contextlib.suppress(KeyboardInterrupt),
        session(
            ROOT, choice, request, say=say, port=port, shared=True, on_request=prefixes
        ) as running,
        _keeping(running.cloud, kept),
    ):
        say(instructions(running.cloud))
        for product, below in prefixes.items():
            say(f"Uploads below {' and '.join(below)} also start {product}.\n")
        narrate(running.subscriptions, say)


@contextlib.contextmanager
def _keeping(cloud: LocalCloud, folder: Path | None) -> Iterator[None]:
    """Begin with the collections of a folder, and keep it up to date. None keeps nothing."""
    from pipeline.local.kept_bucket import FolderInUse, FolderOpen, keeping_bucket

    if folder is None:
        yield
        return
    bucket = LOCAL_NAMES.bucket("collections")
    try:
        with keeping_bucket(cloud.server, cloud.client("s3"), bucket, folder, passing=_EXPORTS):
            yield
    except (FolderInUse, FolderOpen) as error:
        raise click.UsageError(str(error)) from error


def _read_prefixes(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the prefixes that start products on request. Raises BadParameter for a wrong one."""
    from pipeline.declared.products import load_products, read_prefixes, require_on_request

    try:
        prefixes = read_prefixes(texts)
        require_on_request(prefixes, load_products(ROOT))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--on-request") from error
    return prefixes


def sample_photos() -> list[Path]:
    """Return the paths of the sample photos, files of the installed scikit-image."""
    from importlib.resources import files

    return [Path(str(files("skimage") / "data" / name)) for name in SAMPLES]
