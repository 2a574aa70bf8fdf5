"""What tasks with models work with: the catalogue, and verified weights on this machine."""

from __future__ import annotations

from pipeline.declared.models import Catalogue, load_catalogue
from pipeline.weights.local_weights import LocalWeights
from pipeline.workbench import Workbench


def catalogue_of(bench: Workbench) -> Catalogue:
    """Return the model rows this container's image holds, with the deployment's own over them."""
    return bench.once(_load_catalogue)


def weights_of(bench: Workbench) -> LocalWeights:
    """Return the verified weights that the warm calls of this process share."""
    return bench.once(_open_weights)


def _load_catalogue(bench: Workbench) -> Catalogue:
    settings = bench.settings
    return load_catalogue(
        bench.root, settings.catalogue_overlays, accepted_licences=settings.accepted_licences
    )


def _open_weights(bench: Workbench) -> LocalWeights:
    return LocalWeights(bench.store, bench.settings.scratch / "weights")
