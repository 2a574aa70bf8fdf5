"""A local cloud for one person: a model that can be had, weights kept for the next time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from pipeline.declared.blueprint import Blueprint
from pipeline.local.cloud import LocalCloud, local_cloud
from pipeline.local.deployment import warm_functions
from pipeline.local.image_launcher import launching_images
from pipeline.local.worker import Function
from pipeline.session import availability
from pipeline.session.choice import ModelChoice, mirror_of, read_catalogue
from pipeline.session.kept_weights import cache_folder, keep_weights

Say = Callable[[str], None]


@contextmanager
def session(root: Path, choice: ModelChoice, *, say: Say, port: int = 0) -> Iterator[LocalCloud]:
    """A warm cloud whose default models can be staged; `say` is told which and why.

    WeightsUnavailable before it starts if the model that was asked for cannot.
    """
    catalogue = read_catalogue(root, choice)
    models = availability.choose_models(catalogue, choice.name, mirror=mirror_of(choice))
    for model in models:
        say(f"Model: {model.name} ({model.why})")
    defaults = tuple(model.name for model in models)
    with keeping_cloud(root, choice, defaults=defaults, say=say, port=port) as cloud:
        cloud.host.warm(warm_functions(cloud.blueprint))
        yield cloud


@contextmanager
def keeping_cloud(
    root: Path, choice: ModelChoice, *, say: Say, defaults: tuple[str, ...] = (), port: int = 0
) -> Iterator[LocalCloud]:
    """A cloud that starts with the weights earlier ones kept, and keeps its own."""
    blueprint = Blueprint.read(
        root,
        defaults=defaults,
        overlays=choice.overlays,
        accepted_licences=choice.accepted_licences,
    )
    launching = launching_images(blueprint) if choice.images else nullcontext()
    with (
        launching as launcher,
        local_cloud(
            blueprint,
            port=port,
            weights_mirror=mirror_of(choice),
            launcher=launcher,
            adjust=_remembering,
        ) as cloud,
    ):
        try:
            yield cloud
        finally:
            try:
                keep_weights(cloud, cache_folder())
            except OSError as error:
                say(f"The weights were not kept for next time: {error}")


def _remembering(function: Function) -> Function:
    """The function, told where the networks are that earlier sessions optimised."""
    kept = {"MATTELINE_KEPT": str(cache_folder())}
    return replace(function, environment={**function.environment, **kept})
