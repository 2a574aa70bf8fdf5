"""`matteline models`: list the catalogue, stage and verify weights, add a model."""

from __future__ import annotations

import functools
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import report
from pipeline.cli.catalogue_list import print_catalogue
from pipeline.cli.options import ROOT, weights_options
from pipeline.cli.site import named_failures, stage_option
from pipeline.cli.tune import tune
from pipeline.declared.models import ModelRow
from pipeline.declared.names import LOCAL_STAGE
from pipeline.declared.products import load_products
from pipeline.operations.site import aws_site
from pipeline.session.choice import ModelChoice, cache_folder
from pipeline.session.kept_weights import ABSENT, OK, verify_copies
from pipeline.session.own_model import Wishes, append_row, describe_row, inspect_network
from pipeline.session.session import Say, keeping_cloud, reaching, read_catalogue

if TYPE_CHECKING:
    from pipeline.session.stager import StagedModel


class Numbers(click.ParamType[tuple[float, float, float]]):
    """Three finite numbers separated by commas, each above `above`."""

    name = "R,G,B"

    def __init__(self, *, above: float = -math.inf) -> None:
        self._above = above

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, float, float]:
        try:
            red, green, blue = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not three numbers separated by commas", param, ctx)
        if not all(self._above < number < math.inf for number in (red, green, blue)):
            above = "" if math.isinf(self._above) else f" above {self._above:g}"
            self.fail(f"{value!r} is not three finite numbers{above}", param, ctx)
        return red, green, blue


class Scale(click.ParamType[str | float]):
    """The divisor of pixel values: a number above 0, or `max` for the photo's largest value."""

    name = "max|NUMBER"

    def convert(self, value: Any, param: Any, ctx: Any) -> str | float:
        if value == "max":
            return "max"
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is neither max nor a number", param, ctx)
        if not 0 < number < math.inf:
            self.fail(f"{value!r} is not a finite number above 0", param, ctx)
        return number


@click.group()
def models() -> None:
    """List, stage, verify, add and tune models."""


models.add_command(tune)


@models.command("list")
@weights_options
def list_models(choice: ModelChoice) -> None:
    """List models by use, with time, price, memory and licence."""
    print_catalogue(click.echo, read_catalogue(ROOT, choice))


@models.command("stage")
@click.argument("names", nargs=-1, required=True)
@stage_option
@weights_options
def stage(names: tuple[str, ...], stage: str, choice: ModelChoice) -> None:
    """Fetch, verify, test and keep weights, here or on AWS.

    Runs the stage-weights state machine in a local cloud. With --stage, runs its container here,
    with your AWS settings. Exit code 1 if a model was not staged.
    """
    from pipeline.session.choosing import stageable_row

    catalogue = read_catalogue(ROOT, choice)
    rows = [stageable_row(catalogue, name) for name in names]
    screen = report.console()
    say = report.printer(screen)
    staging = _stage_here if stage == LOCAL_STAGE else functools.partial(_stage_on_aws, stage)
    staged = staging(rows, choice, say)
    report.print_staged(screen, staged)
    sys.exit(any(model.reason for model in staged))


def _stage_here(rows: list[ModelRow], choice: ModelChoice, say: Say) -> list[StagedModel]:
    from pipeline.session.stager import stage_model

    staged = []
    with reaching(choice, say=say) as reach, keeping_cloud(ROOT, choice, reach, say=say) as cloud:
        for row in rows:
            say(f"Staging {row.name} …")
            staged.append(stage_model(cloud, row, reach))
    return staged


def _stage_on_aws(
    stage: str, rows: list[ModelRow], choice: ModelChoice, say: Say
) -> list[StagedModel]:
    from pipeline.session.site_stager import SiteStager

    staged = []
    with named_failures(stage), reaching(choice, say=say) as reach:
        stager = SiteStager(ROOT, aws_site(stage, load_products(ROOT)), choice, reach)
        for row in rows:
            say(f"Staging {row.name} in {stage} …")
            staged.append(stager.stage(row))
    return staged


@models.command("verify")
@click.argument("names", nargs=-1)
@weights_options
def verify(names: tuple[str, ...], choice: ModelChoice) -> None:
    """Verify the stored weights of NAMES, or of every model.

    Hashes the copies in the mirror folder and the kept weights. Exit code 1 if a copy differs from
    the catalogue or the staged weights record, or if a model in NAMES has no copy.
    """
    catalogue = read_catalogue(ROOT, choice)
    rows = [catalogue.row(name) for name in names] or catalogue.rows
    mirrors = [Path(choice.mirror)] if choice.mirror and "://" not in choice.mirror else []
    if missing := [str(mirror) for mirror in mirrors if not mirror.is_dir()]:
        raise click.UsageError(f"--mirror: there is no folder {missing[0]}")
    folders = list(dict.fromkeys([*mirrors, cache_folder()]))
    copies = [copy for row in rows for copy in verify_copies(row, folders)]
    report.print_copies(report.console(), copies)
    right = {OK} if names else {OK, ABSENT}
    sys.exit(any(copy.verdict not in right for copy in copies))


@models.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="Name for the model, in kebab-case.")
@click.option("--licence", required=True, help="Licence of the weights.")
@click.option(
    "--summary",
    default="A model of our own.",
    show_default=True,
    help="One sentence about the model.",
)
@click.option(
    "--commercial/--non-commercial",
    default=True,
    show_default=True,
    help="Whether the licence allows commercial use.",
)
@click.option(
    "--input-size",
    type=click.IntRange(32, 4096),
    help="Side of the input in pixels, if the network accepts any [default: the network's].",
)
@click.option(
    "--scale",
    type=Scale(),
    default="max",
    show_default=True,
    help="Divisor of pixel values; `max` is the photo's largest value.",
)
@click.option(
    "--mean",
    type=Numbers(),
    default="0.485,0.456,0.406",
    show_default=True,
    help="Mean of each channel, subtracted after scaling.",
)
@click.option(
    "--std",
    type=Numbers(above=0),
    default="0.229,0.224,0.225",
    show_default=True,
    help="Standard deviation of each channel, the divisor after subtracting the mean.",
)
@click.option(
    "--activation",
    type=click.Choice(["none", "sigmoid"]),
    help="Output activation [default: detected].",
)
@click.option(
    "--to",
    "catalogue",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Catalogue file to append the row to [default: print the row].",
)
def add(file: Path, input_size: int | None, catalogue: Path | None, **wishes: Any) -> None:
    """Describe your ONNX FILE as a catalogue row.

    Runs the network once to measure its input, output and memory.
    """
    wanted = Wishes(**wishes)
    found = inspect_network(ROOT, file, wanted, input_size=input_size)
    shipped = read_catalogue(ROOT, ModelChoice())
    row = describe_row(file, found, wanted, shipped=shipped, catalogue=catalogue)
    if catalogue is None:
        click.echo(row)
        return
    append_row(catalogue, row)
    tried = f"matteline run PHOTO --model {wanted.name} --catalogue {catalogue}"
    click.echo(f"Added {wanted.name}. Try it: {tried}")
