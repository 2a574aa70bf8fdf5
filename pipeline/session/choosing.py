"""Choose the models of a session, among those whose weights this machine reaches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from pipeline.declared.catalogue import Catalogue
from pipeline.declared.models import ModelRow
from pipeline.declared.products import Role
from pipeline.errors import ModelNotOffered, WeightsUnavailable
from pipeline.session.availability import Reach


class ChosenModel(NamedTuple):
    """A model, why it was chosen, and what is wrong if its weights cannot be had."""

    name: str
    why: str
    missing: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


def choose_models(
    catalogue: Catalogue,
    name: str | None,
    containers: Collection[str],
    reach: Reach,
    *,
    asked: Collection[str] = (),
) -> tuple[ChosenModel, ...]:
    """Choose a default model for each of these containers; `name` is its container's in any case.

    `asked` are those of the containers that the user asked for. Raises what `require_model` raises,
    and WeightsUnavailable if one of these has no model.
    """
    named = require_model(catalogue, name, reach) if name else None
    owner = catalogue.row(named.name).container if named else None
    return tuple(
        named
        if named and container == owner
        else choose_model(catalogue, container, reach, required=container in asked)
        for container in catalogue.defaults
        if container in containers or container == owner
    )


def require_models(
    catalogue: Catalogue, named: Mapping[str, str], roles: Mapping[str, Role], reach: Reach
) -> tuple[ChosenModel, ...]:
    """Return the models that options name; `named` and `roles` have the option as key.

    Raises UnknownModel for a model that cannot fill the option's role, or what `require_model`
    raises.
    """
    for option, name in named.items():
        catalogue.row_for(roles[option], name)
    return tuple(require_model(catalogue, name, reach) for name in dict.fromkeys(named.values()))


def choose_other_models(
    catalogue: Catalogue, chosen: Iterable[ChosenModel], reach: Reach
) -> tuple[ChosenModel, ...]:
    """Choose a default model for each container that has none yet, and fetch nothing for it."""
    owners = {catalogue.row(model.name).container for model in chosen}
    others = [container for container in catalogue.defaults if container not in owners]
    asking = reach.asking()
    with ThreadPoolExecutor() as threads:
        return tuple(threads.map(lambda each: choose_model(catalogue, each, asking), others))


def choose_model(
    catalogue: Catalogue, container: str, reach: Reach, *, required: bool = False
) -> ChosenModel:
    """Choose the container's default if any source has it, else the first model in the mirror.

    Else the model whose weights are in the repository. Never chosen from the mirror: hosted models,
    models that need prompts, and models whose licence the user has not accepted. Raises
    WeightsMismatch if a source of the default has other bytes than the publisher's, and
    WeightsUnavailable if a `required` model is unavailable.
    """
    first, last = catalogue.row(catalogue.defaults[container]), _shipped(catalogue, container)
    try:
        return ChosenModel(first.name, reach.origin(first))
    except WeightsUnavailable as error:
        lacking = error
        missing = f"{type(error).__name__}: {error.message}. {error.hint}"
        unavailable = f"{first.name} is unavailable"
        tried = error.message.partition("; ")[2]
    for row in catalogue.rows_of(container):
        default_allowed = row is not last and not (row.takes_prompts or row.hosted)
        if (
            default_allowed
            and catalogue.accepts(row)
            and all(reach.mirror_holds(row, file.name) for file in row.published)
        ):
            return ChosenModel(row.name, f"{reach.origin(row)}; {unavailable}")
    if last is None:
        if required:
            raise lacking
        why = f"jobs that need it will fail: {unavailable}, {tried}"
        return ChosenModel(first.name, why, missing)
    why = f"our own small model, from the repository; {unavailable}, {tried}"
    return ChosenModel(last.name, f"{why}. {WeightsUnavailable.hint}")


def _shipped(catalogue: Catalogue, container: str) -> ModelRow | None:
    """Return the container's first model whose weights are in the repository."""
    for row in catalogue.rows_of(container):
        urls = [url for file in row.published for url in file.urls]
        if urls and all(url.startswith("file:") for url in urls):
            return row
    return None


def stageable_row(catalogue: Catalogue, name: str) -> ModelRow:
    """Return the row of a model that this machine may use.

    Raises UnknownModel, LicenseNotAccepted, or ModelNotOffered for a hosted model.
    """
    row = catalogue.usable(name)
    if row.hosted:
        instead = f"; use {row.fallback} here" if row.fallback else ""
        raise ModelNotOffered(
            f"{name} is hosted by Amazon Bedrock, which the local cloud cannot reach{instead}"
        )
    return row


def require_model(catalogue: Catalogue, name: str, reach: Reach) -> ChosenModel:
    """Return the named model if this machine may use it and a source has its weights.

    Raises what `Reach.origin` and `stageable_row` raise.
    """
    return ChosenModel(name, f"as requested, {reach.origin(stageable_row(catalogue, name))}")
