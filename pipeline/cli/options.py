"""Options that more than one command takes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from pipeline.session.choice import ModelChoice

ROOT: Final = Path(__file__).parents[2]


def weights_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --mirror, --catalogue and --accept-licence.

    With `model` and `images`, where a command takes them, they are one ModelChoice.
    """

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
        images: bool = False,  # noqa: FBT001, FBT002 - click hands it over by name
        **rest: Any,
    ) -> None:
        choice = ModelChoice(model, mirror, overlays, accepted_licences, images)
        command(choice=choice, **rest)

    return with_choice


model_option = click.option("--model", help="Catalogue name; by default the first that can be had.")
images_option = click.option(
    "--images", is_flag=True, help="Run every function inside its built image: see make images."
)
output_option = functools.partial(click.option, "-o", "--output", type=click.Path(path_type=Path))
