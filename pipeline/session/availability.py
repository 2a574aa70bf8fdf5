"""Find a model whose weights are available to this machine, without fetching them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import urllib3

from pipeline.declared.addresses import without_credentials
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.models import ModelRow
from pipeline.errors import ModelNotOffered, WeightsUnavailable
from pipeline.weights.proxies import Proxies, open_pool

_PROBE_TIMEOUT: Final = urllib3.Timeout(5.0)
_RETRIES: Final = urllib3.Retry(total=None, connect=0, read=0, redirect=5, status=0)
_FOUND: Final = 200
_DENIED: Final = {401, 403}


class ChosenModel(NamedTuple):
    name: str
    why: str


def choose_models(
    catalogue: Catalogue, name: str | None, *, mirror: str | None
) -> tuple[ChosenModel, ...]:
    """Choose a default model for each container with models; `name` replaces its container's.

    Raises what `require_model` raises.
    """
    named = require_model(catalogue, name, mirror=mirror) if name else None
    owner = catalogue.row(named.name).container if named else None
    return tuple(
        named if named and container == owner else choose_model(catalogue, container, mirror=mirror)
        for container in catalogue.defaults
    )


def choose_model(catalogue: Catalogue, container: str, *, mirror: str | None) -> ChosenModel:
    """Choose the container's default if any source has it, else the first model in the mirror.

    Else the model whose weights are in the repository. Never chosen from the mirror: hosted models,
    models that need prompts, and models whose licence the user has not accepted.
    """
    first, last = catalogue.row(catalogue.defaults[container]), _shipped(catalogue, container)
    if can_be_staged(first, mirror=mirror):
        return ChosenModel(first.name, "the default, and available")
    for row in catalogue.rows_of(container):
        default_allowed = row is not last and not (row.takes_prompts or row.hosted)
        if (
            default_allowed
            and catalogue.accepts(row)
            and all(mirror_holds(mirror, row, file.name) for file in row.files)
        ):
            return ChosenModel(row.name, f"from the mirror; {first.name} is unavailable")
    tried = f"{first.name} is unavailable, tried {_tried(first, mirror)}"
    if last is None:
        return ChosenModel(first.name, f"jobs that need it will fail: {tried}")
    return ChosenModel(last.name, f"our own small model, from the repository; {tried}")


def _shipped(catalogue: Catalogue, container: str) -> ModelRow | None:
    """Return the container's first model whose weights are in the repository."""
    for row in catalogue.rows_of(container):
        urls = [url for file in row.files for url in file.urls]
        if urls and all(url.startswith("file:") for url in urls):
            return row
    return None


def stageable_row(catalogue: Catalogue, name: str) -> ModelRow:
    """Return the row of a model that this machine may use.

    Raises UnknownModel, LicenseNotAccepted, or ModelNotOffered for a hosted model.
    """
    row = catalogue.usable(name)
    if row.hosted:
        raise ModelNotOffered(
            f"{name} is hosted by Amazon Bedrock, which the local cloud cannot reach"
        )
    return row


def require_model(catalogue: Catalogue, name: str, *, mirror: str | None) -> ChosenModel:
    """Return the named model if this machine may use it and a source has its weights.

    Raises WeightsUnavailable, or what `stageable_row` raises.
    """
    row = stageable_row(catalogue, name)
    if not can_be_staged(row, mirror=mirror):
        raise WeightsUnavailable(
            f"no source has the weights of {name}; tried {_tried(row, mirror)}"
        )
    return ChosenModel(name, "as requested")


def can_be_staged(row: ModelRow, *, mirror: str | None) -> bool:
    """Return True if some source has each file of the model."""
    return all(
        mirror_holds(mirror, row, file.name)
        or any(_answers(url, gated=file.token is not None) for url in file.urls)
        for file in row.files
    )


def mirror_holds(mirror: str | None, row: ModelRow, name: str) -> bool:
    """Return True if the mirror has the file: by name, or where the models bucket stores it.

    Only a mirror folder is searched in both places.
    """
    if mirror is None:
        return False
    if "://" in mirror:
        return _answers(f"{mirror.rstrip('/')}/{quote(name)}")
    folder = Path(mirror)
    return (folder / row.weights_prefix / name).is_file() or (folder / name).is_file()


def _answers(address: str, *, gated: bool = False) -> bool:
    """Return True if the address has a file.

    A gated source may deny access, and only staging can read a bucket: both count as available.
    """
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).is_file()
    if parts.scheme == "s3":
        return True
    proxies = Proxies.from_environment(os.environ)
    url = proxies.url(address)
    try:
        with open_pool(proxies, url, timeout=_PROBE_TIMEOUT, retries=_RETRIES) as pool:
            status = pool.request("HEAD", url).status
    except urllib3.exceptions.HTTPError:
        return False
    return status == _FOUND or (gated and status in _DENIED)


def _tried(row: ModelRow, mirror: str | None) -> str:
    places = [*([mirror] if mirror else []), *(url for file in row.files for url in file.urls)]
    return ", ".join(map(without_credentials, places)) or "no source"
