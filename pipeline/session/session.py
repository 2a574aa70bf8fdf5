"""One user's local cloud: choose a model, start the cloud, keep the weights that it staged.

A function that starts a cloud imports it: moto and boto3 take seconds to load, and commands that
only read the catalogue need neither.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from pipeline.contracts.weights import StageWeights
from pipeline.declared.blueprint import Blueprint
from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.declared.containers import ContainerManifest, load_containers
from pipeline.declared.products import Role, load_products, naming_roles
from pipeline.errors import InvalidOptions, PipelineError
from pipeline.local.own_folder import OwnFolder
from pipeline.session.choice import ModelChoice, cache_folder
from pipeline.session.kept_weights import keep_weights
from pipeline.session.media import KINDS, PHOTO
from pipeline.session.run_messages import SOCKET, RunModels, RunRequest

if TYPE_CHECKING:
    from pipeline.local.cloud import LocalCloud
    from pipeline.local.worker import Function, Launcher
    from pipeline.session.availability import Reach
    from pipeline.session.subscriptions import Subscriptions

Say = Callable[[str], None]


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


class Session(NamedTuple):
    """A warm cloud that serves runs, and the subscriptions to its executions."""

    cloud: LocalCloud
    subscriptions: Subscriptions


@contextmanager
def session(  # noqa: PLR0913 - keyword-only options
    root: Path,
    choice: ModelChoice,
    request: RunRequest,
    *,
    say: Say,
    port: int = 0,
    calls_at_once: int = 1,
    shared: bool = False,
    on_request: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[Session]:
    """Run a warm cloud for this request; `say` reports the models of its products, and why.

    What packages alone have of other products is fetched when it is staged. `calls_at_once` calls
    of a function share this machine's cores.

    `on_request` has the prefixes of keys whose uploads start a product on request, by its name.

    A `shared` cloud can be found by other commands with the same terms, and outlives their runs.
    Raises, before the cloud starts, WeightsUnavailable or what `require_model` raises.
    """
    from pipeline.session.choosing import (
        ChosenModel,
        choose_models,
        choose_other_models,
        require_models,
    )

    catalogue = read_catalogue(root, choice)
    with reaching(choice, say=say) as reach:
        roles = _naming_roles(root, request)
        named = require_models(catalogue, request.named, roles, reach)
        models = choose_models(
            catalogue, choice.name, _containers(request), reach, asked=_asked(request)
        )
        for model in (*models, *named):
            say(f"Model: {model}")
        others = choose_other_models(catalogue, models, reach) if shared else ()
        defaults = tuple(model.name for model in (*models, *others))

        with keeping_cloud(
            root,
            choice,
            reach,
            defaults=defaults,
            say=say,
            port=port,
            products=request.products,
            calls_at_once=calls_at_once,
            on_request=on_request,
        ) as cloud:
            from pipeline.local.deployment import warm_functions

            cloud.host.warm(warm_functions(cloud.blueprint, request.products))
            # Imported now, when the functions' first workers start in their own processes.
            from pipeline.session.runs import serving_runs
            from pipeline.session.staging_watch import fetching_packages

            def models_for(asked: RunRequest) -> RunModels:
                effective = cloud.blueprint.catalogue
                chosen: tuple[ChosenModel, ...] = models
                rest = named
                try:
                    if (asked.model, _containers(asked)) != (choice.name, _containers(request)):
                        chosen = choose_models(
                            effective, asked.model, _containers(asked), reach, asked=_asked(asked)
                        )
                    if asked.named != request.named:
                        allowed = _naming_roles(root, asked)
                        rest = require_models(effective, asked.named, allowed, reach)
                except PipelineError:
                    return RunModels(None)
                container = effective.row(asked.model).container if asked.model else None
                missing = {
                    effective.row(model.name).container: model.missing
                    for model in chosen
                    if model.missing
                }
                return RunModels(tuple(map(str, (*chosen, *rest))), container, missing)

            with (
                fetching_packages(cloud, reach),
                serving_runs(cloud, request.terms, models_for, shared=shared) as subscriptions,
            ):
                if shared:
                    _publish(cloud, say)
                yield Session(cloud, subscriptions)


def _containers(request: RunRequest) -> frozenset[str]:
    kinds = [KINDS[name] for name in request.products if name in KINDS]
    return frozenset(each for kind in kinds for each in kind.containers(request.options))


def _asked(request: RunRequest) -> frozenset[str]:
    kinds = [KINDS[name] for name in request.products if name in KINDS]
    return frozenset(each for kind in kinds for each in kind.asked_containers(request.options))


def _naming_roles(root: Path, request: RunRequest) -> dict[str, Role]:
    """Return the roles of the request's products, by the option that names their model."""
    return {
        option: role
        for product in load_products(root)
        if product.name in request.products
        for option, role in naming_roles(product).items()
    }


def _publish(cloud: LocalCloud, say: Say) -> None:
    """Let other commands of this user find the cloud."""
    try:
        cloud.server.listen_at(cloud.scratch / SOCKET)
    except OSError as error:
        say(f"`matteline run` will not find this cloud: {error} ({cloud.scratch / SOCKET})")


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
    products: Collection[str] = (PHOTO.product,),
    calls_at_once: int = 1,
    on_request: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[LocalCloud]:
    """Run a cloud that starts with the weights kept by earlier ones, and keeps its own."""
    blueprint = Blueprint.read(
        root,
        defaults=defaults,
        overlays=choice.overlays,
        accepted_licences=choice.accepted_licences,
        on_request=on_request,
    ).with_batch("cpu" if choice.needs_batch else "off")
    with _launching(blueprint, products, images=choice.images) as launcher:
        # Here: while this process imports moto, the launcher's imports the handlers.
        from pipeline.local.cloud import local_cloud

        with local_cloud(
            blueprint,
            port=port,
            weights_mirror=reach.mirror,
            launcher=launcher,
            calls_at_once=calls_at_once,
            products=products,
            adjust=functools.partial(_with_folders, packages=reach.packages.folder),
        ) as cloud:
            try:
                yield cloud
            finally:
                try:
                    keep_weights(cloud, cache_folder())
                except OSError as error:
                    say(f"The weights were not kept for the next run: {error}")


def _launching(
    blueprint: Blueprint, products: Collection[str], *, images: bool
) -> AbstractContextManager[Launcher]:
    if images:
        from pipeline.local.image_launcher import launching_images

        return launching_images(blueprint)
    from pipeline.local.fork_launcher import launching_sources

    return launching_sources(blueprint, products)


def _with_folders(function: Function, *, packages: Path) -> Function:
    """Point a function to the networks that earlier sessions optimised, and to packages' files."""
    folders = {"MATTELINE_KEPT": str(cache_folder()), "MATTELINE_PACKAGES": str(packages)}
    return replace(function, environment={**function.environment, **folders})
