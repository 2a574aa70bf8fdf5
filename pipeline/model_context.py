"""Give tasks the catalogue, and verified weights on this machine."""

from __future__ import annotations

from pipeline.declared.catalogue import Catalogue, load_catalogue
from pipeline.weights.local_weights import LocalWeights
from pipeline.workbench import Workbench


def catalogue_of(bench: Workbench, container: str | None = None) -> Catalogue:
    """Return the model rows of `container`, or of all, with the deployment's own over them.

    An image holds its own container's rows, or all: what its manifest says.
    """
    return bench.once(_load_catalogue, container)


def weights_of(bench: Workbench) -> LocalWeights:
    """Return the verified weights that the warm calls of this process share."""
    return bench.once(_open_weights)


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
