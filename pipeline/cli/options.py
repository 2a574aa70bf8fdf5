"""Define options that several commands share, and parse points and boxes."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import click

from pipeline.compute import Compute
from pipeline.session.choice import ModelChoice

if TYPE_CHECKING:
    from pipeline.photo.prompts import Box, Point

_CHOICE: Final = {each.name for each in fields(ModelChoice)} - {"name"}
ROOT: Final = Path(__file__).parents[2]
_LABELS: Final[dict[tuple[str, ...], Literal[0, 1]]] = {(): 1, ("1",): 1, ("0",): 0}


class Word(click.Choice[str]):
    """One of a few words; the error for a misspelt one suggests the nearest.

    Spaces around it do not count.
    """

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        word = str(value).strip()
        if word not in self.choices:
            from pipeline.spelling import did_you_mean

            near = did_you_mean(word, self.choices)
            self.fail(f"{value!r} is not one of {', '.join(self.choices)}{near}", param, ctx)
        return word


class Principal(click.ParamType[str]):
    """A principal of the HTTP API by its prefix, with or without the slash."""

    name = "principal"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        named = re.fullmatch(r"([0-9a-f]{32})/?", str(value))
        if named is None:
            hint = "`matteline keys list` shows prefixes"
            self.fail(f"a prefix has 32 hexadecimal digits; {hint}", param, ctx)
        return named[1]


def _model_name(_ctx: click.Context, _param: click.Parameter, name: str | None) -> str | None:
    """Return a name without spaces around it; raise BadParameter for an empty one."""
    if name is not None and not name.strip():
        raise click.BadParameter("the name of a model is empty")
    return name.strip() if name else None


catalogue_option = click.option(
    "--catalogue",
    "overlays",
    envvar="MATTELINE_CATALOGUE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="File of model rows to add to the shipped catalogue; repeatable.",
)


def weights_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --mirror, --catalogue and --accept-licence, and pass them as one ModelChoice.

    The choice includes the command's `model`, `images`, `batch` and `compute` options, if it has
    them.
    """

    @click.option(
        "--mirror",
        envvar="MATTELINE_WEIGHTS_MIRROR",
        help="Folder or URL with weights files, tried first [default: weights that were kept].",
    )
    @catalogue_option
    @click.option(
        "--accept-licence",
        "accepted_licences",
        envvar="MATTELINE_ACCEPTED_LICENCES",
        metavar="NAME",
        multiple=True,
        help="Non-commercial licence to accept, by its catalogue name; repeatable.",
    )
    @functools.wraps(command)
    def with_choice(model: str | None = None, **chosen: Any) -> None:
        choice = {name: chosen.pop(name) for name in _CHOICE if name in chosen}
        command(choice=ModelChoice(model, **choice), **chosen)

    return with_choice


model_option = click.option(
    "--model",
    callback=_model_name,
    help="Model name (`matteline models list`) [default: first available].",
)
images_option = click.option(
    "--images", is_flag=True, help="Run functions inside their built images (`make images`)."
)
batch_option = click.option(
    "--batch", is_flag=True, help="Have AWS Batch too: jobs run as processes of this computer."
)
compute_option = click.option(
    "--compute",
    type=Word(get_args(Compute)),
    help="Where models run: in functions, in jobs of AWS Batch, or in jobs where functions are"
    " too small [default: lambda, unless the cloud of `up` has --batch].",
)
output_option = functools.partial(
    click.option, "-o", "--output", type=click.Path(path_type=Path), help="Folder for the results."
)


def prompt_metadata(points: Sequence[str], boxes: Sequence[str]) -> dict[str, str]:
    """Return the prompts as object metadata, empty without points and boxes.

    All points and a single box mark one subject; each of several boxes marks its own subject.
    Raises UsageError for text that is no point or box, or for an ambiguous combination.
    """
    if not points and not boxes:
        return {}
    from pipeline.photo.prompts import MOST_POINTS, MOST_SUBJECTS, SubjectPrompt

    if points and len(boxes) > 1:
        raise click.UsageError("use --point with at most one --box")
    if len(points) > MOST_POINTS or len(boxes) > MOST_SUBJECTS:
        raise click.UsageError(f"at most {MOST_POINTS} --point or {MOST_SUBJECTS} --box")
    marked = tuple(map(_point, points))
    prompts = [SubjectPrompt(points=marked, box=box) for box in map(_box, boxes)]
    prompts = prompts or [SubjectPrompt(points=marked)]
    content = json.dumps([prompt.model_dump(exclude_defaults=True) for prompt in prompts])
    return {"prompts": content}


def _point(text: str) -> Point:
    from pipeline.photo.prompts import Point

    try:
        x, y, *label = text.split(",")
        return Point(x=float(x), y=float(y), label=_LABELS[tuple(map(str.strip, label))])
    except (ValueError, KeyError):
        raise click.UsageError(f"--point {text}: write X,Y, or X,Y,0 for the background") from None


def _box(text: str) -> Box:
    from pipeline.photo.prompts import Box

    try:
        x0, y0, x1, y1 = map(float, text.split(","))
        return Box(x0=x0, y0=y0, x1=x1, y1=y1)
    except ValueError:
        raise click.UsageError(f"--box {text}: write X0,Y0,X1,Y1, top left first") from None
