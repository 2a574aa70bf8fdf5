"""Which model can be had on this machine, without fetching any."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import urllib3

from pipeline.declared.addresses import without_credentials
from pipeline.declared.models import Catalogue, ModelRow
from pipeline.errors import ModelNotOffered, WeightsUnavailable
from pipeline.weights.proxies import Proxies, open_pool

_PROBE_TIMEOUT: Final = urllib3.Timeout(5.0)
_RETRIES: Final = urllib3.Retry(total=None, connect=0, read=0, redirect=5, status=0)
_FOUND: Final = 200
_CLOSED: Final = {401, 403}


class ChosenModel(NamedTuple):
    name: str
    why: str


def choose_models(
    catalogue: Catalogue, name: str | None, *, mirror: str | None
) -> tuple[ChosenModel, ...]:
    """A default model for each container that has models; the one called `name` is as asked.

    Raises what `require_model` raises.
    """
    asked = require_model(catalogue, name, mirror=mirror) if name else None
    owner = catalogue.row(asked.name).container if asked else None
    return tuple(
        asked if asked and container == owner else choose_model(catalogue, container, mirror=mirror)
        for container in catalogue.defaults
    )


def choose_model(catalogue: Catalogue, container: str, *, mirror: str | None) -> ChosenModel:
    """What can be staged: the container's default from anywhere, else any the mirror holds.

    Else a model whose weights are in the repository. None that is hosted or has to be shown its
    subject: nobody asked for such a one.
    """
    first, last = catalogue.row(catalogue.defaults[container]), _shipped(catalogue, container)
    if can_be_staged(first, mirror=mirror):
        return ChosenModel(first.name, "the first choice, and it can be had")
    for row in catalogue.rows_of(container):
        by_itself = row is not last and not (row.takes_prompts or row.hosted)
        if (
            by_itself
            and catalogue.accepts(row)
            and all(mirror_holds(mirror, row, file.name) for file in row.files)
        ):
            return ChosenModel(row.name, f"the mirror holds it, and {first.name} is not to be had")
    tried = f"{first.name} is not to be had from {_tried(first, mirror)}"
    if last is None:
        return ChosenModel(first.name, f"jobs that need it will fail: {tried}")
    return ChosenModel(last.name, f"our own small model, out of the repository: {tried}")


def _shipped(catalogue: Catalogue, container: str) -> ModelRow | None:
    """The container's first model whose weights are beside its catalogue."""
    for row in catalogue.rows_of(container):
        urls = [url for file in row.files for url in file.urls]
        if urls and all(url.startswith("file:") for url in urls):
            return row
    return None


def stageable_row(catalogue: Catalogue, name: str) -> ModelRow:
    """The row of a model that may be used, and on this machine.

    UnknownModel, LicenseNotAccepted, or ModelNotOffered for a hosted one, if not.
    """
    row = catalogue.usable(name)
    if row.hosted:
        raise ModelNotOffered(f"{name} is hosted by Amazon Bedrock, which no local cloud reaches")
    return row


def require_model(catalogue: Catalogue, name: str, *, mirror: str | None) -> ChosenModel:
    """The model asked for, if it may be used and can be staged.

    UnknownModel, LicenseNotAccepted, WeightsUnavailable, or ModelNotOffered for a hosted one, if
    not.
    """
    row = stageable_row(catalogue, name)
    if not can_be_staged(row, mirror=mirror):
        raise WeightsUnavailable(f"{name} is not to be had from {_tried(row, mirror)}")
    return ChosenModel(name, "as asked")


def can_be_staged(row: ModelRow, *, mirror: str | None) -> bool:
    """Whether each file of the model answers somewhere."""
    return all(
        mirror_holds(mirror, row, file.name)
        or any(_answers(url, gated=file.token is not None) for url in file.urls)
        for file in row.files
    )


def mirror_holds(mirror: str | None, row: ModelRow, name: str) -> bool:
    """Whether the mirror has this file, by name or (a folder) laid out as the models bucket."""
    if mirror is None:
        return False
    if "://" in mirror:
        return _answers(f"{mirror.rstrip('/')}/{quote(name)}")
    folder = Path(mirror)
    return (folder / row.weights_prefix / name).is_file() or (folder / name).is_file()


def _answers(address: str, *, gated: bool = False) -> bool:
    """Whether something is there. A gated source may refuse; only staging can open a bucket."""
    parts = urlsplit(address)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).is_file()
    if parts.scheme == "s3":
        return True
    network = Proxies.from_environment(os.environ)
    url = network.url(address)
    try:
        with open_pool(network, url, timeout=_PROBE_TIMEOUT, retries=_RETRIES) as pool:
            status = pool.request("HEAD", url).status
    except urllib3.exceptions.HTTPError:
        return False
    return status == _FOUND or (gated and status in _CLOSED)


def _tried(row: ModelRow, mirror: str | None) -> str:
    places = [*([mirror] if mirror else []), *(url for file in row.files for url in file.urls)]
    return ", ".join(map(without_credentials, places)) or "anywhere"
