"""`matteline models`: the catalogue, and the weights behind it."""

from __future__ import annotations

import functools
import math
import sys
from pathlib import Path
from typing import Any

import click

from pipeline.cli import report
from pipeline.cli.options import ROOT, weights_options
from pipeline.session.choice import ModelChoice, mirror_of, read_catalogue
from pipeline.session.kept_weights import ABSENT, OK, cache_folder, verify_copies
from pipeline.session.own_model import Wishes, describe_row, inspect_network


class Numbers(click.ParamType[tuple[float, float, float]]):
    """Three numbers with commas between them, each of them above `above`."""

    name = "R,G,B"

    def __init__(self, *, above: float = -math.inf) -> None:
        self._above = above

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, float, float]:
        try:
            red, green, blue = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not three numbers with commas between them", param, ctx)
        if not all(self._above < number < math.inf for number in (red, green, blue)):
            above = "" if math.isinf(self._above) else f" above {self._above:g}"
            self.fail(f"{value!r} is not three finite numbers{above}", param, ctx)
        return red, green, blue


class Scale(click.ParamType[str | float]):
    """What the picture is divided by: a number above 0, or the largest value in it."""

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
    """Look after the model catalogue and its weights."""


@models.command("list")
@weights_options
def list_models(choice: ModelChoice) -> None:
    """Every model row: its licence, memory, what it is for, and what it falls back on."""
    catalogue = read_catalogue(ROOT, choice)
    for row in catalogue.rows:
        fallback = f" (fallback: {row.fallback})" if row.fallback else ""
        refused = "" if catalogue.accepts(row) else " (licence not accepted)"
        licence = f"{row.licence:18}{row.memory_mb:>6} MB"
        click.echo(f"{row.name:28}{licence}  {row.summary}{fallback}{refused}")


@models.command("stage")
@click.argument("names", nargs=-1, required=True)
@weights_options
def stage(names: tuple[str, ...], choice: ModelChoice) -> None:
    """Fetch, verify and try the weights of NAMES through the real machine, and keep them.

    Exit code 0 if every model was staged, 1 if not.
    """
    from pipeline.session.availability import stageable_row
    from pipeline.session.session import keeping_cloud
    from pipeline.session.stager import stage_model

    catalogue = read_catalogue(ROOT, choice)
    rows = [stageable_row(catalogue, name) for name in names]
    screen = report.console()
    say = functools.partial(screen.print, markup=False, highlight=False, soft_wrap=True)
    staged = []
    with keeping_cloud(ROOT, choice, say=say) as cloud:
        for row in rows:
            say(f"Staging {row.name} …")
            staged.append(stage_model(cloud, row, mirror=mirror_of(choice)))
    report.print_staged(screen, staged)
    sys.exit(any(model.reason for model in staged))


@models.command("verify")
@click.argument("names", nargs=-1)
@weights_options
def verify(names: tuple[str, ...], choice: ModelChoice) -> None:
    """Hash the copies of NAMES (or of every model) in the mirror folder and among those kept.

    Exit code 1 if a copy is not what the catalogue and the staged manifest say, or if there is
    none of a model that was named.
    """
    catalogue = read_catalogue(ROOT, choice)
    rows = [catalogue.row(name) for name in names] or catalogue.rows
    mirrors = [Path(choice.mirror)] if choice.mirror and "://" not in choice.mirror else []
    folders = list(dict.fromkeys([*mirrors, cache_folder()]))
    copies = [copy for row in rows for copy in verify_copies(row, folders)]
    report.print_copies(report.console(), copies)
    right = {OK} if names else {OK, ABSENT}
    sys.exit(any(copy.verdict not in right for copy in copies))


@models.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="What the model is to be called: kebab-case.")
@click.option("--licence", required=True, help="What its weights may be used under.")
@click.option("--summary", default="A model of our own.", show_default=True)
@click.option("--commercial/--non-commercial", default=True, help="What the licence allows.")
@click.option("--input-size", type=click.IntRange(32, 4096), help="Where the network takes any.")
@click.option("--scale", type=Scale(), default="max", show_default=True, help="Divides the photo.")
@click.option("--mean", type=Numbers(), default="0.485,0.456,0.406", show_default=True)
@click.option("--std", type=Numbers(above=0), default="0.229,0.224,0.225", show_default=True)
@click.option("--activation", type=click.Choice(["none", "sigmoid"]), help="Else found out.")
@click.option(
    "--to",
    "catalogue",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Catalogue file to append the row to, instead of printing it.",
)
def add(file: Path, input_size: int | None, catalogue: Path | None, **wishes: Any) -> None:
    """Describe an ONNX FILE of your own as a catalogue row, after running it once."""
    said = Wishes(**wishes)
    found = inspect_network(ROOT, file, said, input_size=input_size)
    shipped = read_catalogue(ROOT, ModelChoice())
    row = describe_row(file, found, said, shipped=shipped, catalogue=catalogue)
    if catalogue is None:
        click.echo(row)
        return
    with catalogue.open("a", encoding="utf-8") as out:
        out.write(row)
    tried = f"matteline run PHOTO --model {said.name} --catalogue {catalogue}"
    click.echo(f"Added {said.name}. Try it: {tried}")
