"""The user's choices about models, before a cloud is started or found."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.compute import Compute


@dataclass(frozen=True)
class ModelChoice:
    """The user's options about models, before a cloud is started.

    `name` is None for any model. `mirror` is a folder or URL that is tried before a model's own
    sources. `overlays` are catalogue files layered over the shipped one. `accepted_licences` are
    names of non-commercial licences. With `images`, functions run inside their built images. With
    `batch`, the cloud has AWS Batch, as for a run whose models may run there: `compute`.
    """

    name: str | None = None
    mirror: str | None = None
    overlays: tuple[Path, ...] = ()
    accepted_licences: tuple[str, ...] = ()
    images: bool = False
    batch: bool = False
    compute: Compute | None = None

    @property
    def needs_batch(self) -> bool:
        return self.batch or self.compute in {"auto", "batch"}


def cache_folder() -> Path:
    """Return the folder of kept weights: the default mirror, with the models bucket's layout."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "matteline" / "weights"
