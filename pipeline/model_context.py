"""Give tasks the catalogue, and verified weights on this machine."""

from __future__ import annotations

from typing import Protocol

from pipeline.artifacts import Location
from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.errors import WeightsNotStaged
from pipeline.weights.local_weights import LocalWeights
from pipeline.workbench import Workbench


class ModelJob(Protocol):
    """A job whose model is staged, unless it is hosted: `weights_key` is that of its record."""

    @property
    def model(self) -> str: ...

    @property
    def models_bucket(self) -> str: ...

    @property
    def weights_key(self) -> str | None: ...


def catalogue_of(bench: Workbench, container: str | None = None) -> Catalogue:
    """Return the model rows of `container`, or of all, with the deployment's own over them.

    An image holds its own container's rows, or all: what its manifest says.
    """
    return bench.once(_load_catalogue, container)


def weights_of(bench: Workbench) -> LocalWeights:
    """Return the verified weights that the warm calls of this process share."""
    return bench.once(_open_weights)


def staged_record(job: ModelJob) -> Location:
    """Return where the staged weights record of the job's model is.

    Raises WeightsNotStaged if the job names none.
    """
    if job.weights_key is None:
        raise WeightsNotStaged(f"the job has no staged weights of {job.model}")
    return Location(job.models_bucket, job.weights_key)


def _load_catalogue(bench: Workbench, container: str | None) -> Catalogue:
    settings = bench.settings
    return load_catalogue(
        bench.root,
        settings.catalogue_overlays,
        container=container,
        accepted_licences=settings.accepted_licences,
    )


def _open_weights(bench: Workbench) -> LocalWeights:
    return LocalWeights(bench.store, bench.settings.scratch / "weights")
