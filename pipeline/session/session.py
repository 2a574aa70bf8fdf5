"""One user's local cloud: choose a model, start the cloud, keep the weights that it staged.

A function that starts a cloud imports it: moto and boto3 take seconds to load, and commands that
only read the catalogue need neither.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.contracts.weights import StageWeights
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.declared.containers import ContainerManifest, load_containers
from pipeline.errors import InvalidOptions
from pipeline.local.deployment import warm_functions
from pipeline.local.own_folder import OwnFolder
from pipeline.session.kept_weights import cache_folder, keep_weights

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud
    from pipeline.local.worker import Function, Launcher
    from pipeline.session.availability import Reach

Say = Callable[[str], None]


@dataclass(frozen=True)
class ModelChoice:
    """The user's options about models, before a cloud is started.

    `name` is None for any model. `mirror` is a folder or URL that is tried before a model's own
    sources. `overlays` are catalogue files layered over the shipped one. `accepted_licences` are
    names of non-commercial licences. With `images`, functions run inside their built images.
    """

    name: str | None = None
    mirror: str | None = None
    overlays: tuple[Path, ...] = ()
    accepted_licences: tuple[str, ...] = ()
    images: bool = False


def mirror_of(choice: ModelChoice) -> str | None:
    """Return the user's mirror, else the weights that earlier sessions kept, else None."""
    cache = cache_folder()
    return choice.mirror or (str(cache) if cache.is_dir() else None)


def read_catalogue(root: Path, choice: ModelChoice) -> Catalogue:
    """Read the shipped catalogue with the user's files over it.

    Raises InvalidOptions if a file is invalid.
    """
    try:
        return load_catalogue(root, choice.overlays, accepted_licences=choice.accepted_licences)
    except ValueError as error:
        raise InvalidOptions(f"catalogue: {error}") from error


def staging_container(root: Path) -> ContainerManifest:
    """Return the container that stages weights; its module can run without a function."""
    (container,) = (each for each in load_containers(root) if each.job == StageWeights.__name__)
    return container


@contextmanager
def session(
    root: Path, choice: ModelChoice, *, say: Say, port: int = 0, at_once: int = 1
) -> Iterator[LocalCloud]:
    """Run a warm cloud whose default models can be staged; `say` reports the models and why.

    The workers of `at_once` photos share this machine's cores.

    Raises, before the cloud starts, WeightsUnavailable or what `require_model` raises.
    """
    from pipeline.session.choosing import choose_models

    catalogue = read_catalogue(root, choice)
    with reaching(choice, say=say) as reach:
        models = choose_models(catalogue, choice.name, reach)
        for model in models:
            say(f"Model: {model.name} ({model.why})")
        defaults = tuple(model.name for model in models)
        with keeping_cloud(
            root, choice, reach, defaults=defaults, say=say, port=port, at_once=at_once
        ) as cloud:
            cloud.host.warm(warm_functions(cloud.blueprint))
            yield cloud


@contextmanager
def reaching(choice: ModelChoice, *, say: Say) -> Iterator[Reach]:
    """Provide the user's sources of weights; what packages give is deleted when the block ends."""
    from pipeline.session.availability import Reach
    from pipeline.session.packages import Packages

    with OwnFolder() as name:
        yield Reach(mirror_of(choice), Packages(Path(name), say))


@contextmanager
def keeping_cloud(  # noqa: PLR0913 - keyword-only options
    root: Path,
    choice: ModelChoice,
    reach: Reach,
    *,
    say: Say,
    defaults: tuple[str, ...] = (),
    port: int = 0,
    at_once: int = 1,
) -> Iterator[LocalCloud]:
    """Run a cloud that starts with the weights kept by earlier ones, and keeps its own."""
    blueprint = Blueprint.read(
        root,
        defaults=defaults,
        overlays=choice.overlays,
        accepted_licences=choice.accepted_licences,
    )
    with _launching(blueprint, images=choice.images) as launcher:
        # Here: while this process imports moto, the launcher's imports the handlers.
        from pipeline.local.cloud import local_cloud

        with local_cloud(
            blueprint,
            port=port,
            weights_mirror=reach.mirror,
            launcher=launcher,
            at_once=at_once,
            adjust=functools.partial(_with_folders, packages=reach.packages.folder),
        ) as cloud:
            try:
                yield cloud
            finally:
                try:
                    keep_weights(cloud, cache_folder())
                except OSError as error:
                    say(f"The weights were not kept for the next run: {error}")


def _launching(blueprint: Blueprint, *, images: bool) -> AbstractContextManager[Launcher]:
    if images:
        from pipeline.local.image_launcher import launching_images

        return launching_images(blueprint)
    from pipeline.local.fork_launcher import launching_sources

    return launching_sources(blueprint)


def _with_folders(function: Function, *, packages: Path) -> Function:
    """Point a function to the networks that earlier sessions optimised, and to packages' files."""
    folders = {"MATTELINE_KEPT": str(cache_folder()), "MATTELINE_PACKAGES": str(packages)}
    return replace(function, environment={**function.environment, **folders})
