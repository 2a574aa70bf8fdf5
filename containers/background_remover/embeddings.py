"""Cache a photo's encoder outputs, its embedding, in the work bucket, for later prompts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.background_remover.network import Tensor
from pipeline.artifacts import ArtifactStore, Location

Features = Mapping[str, Tensor]  # an encoder's outputs, by the names that the cache has for them

# Part of every key. Raise it when the placement on the canvas changes.
_LAYOUT: Final = 1
_DAMAGES: Final = (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError)


@dataclass(frozen=True)
class EmbeddingCache:
    """A cache entry for the embedding of one photo by one encoder, under both checksums.

    The encoder's checksum is that of the network that runs: in 8 bits, results differ. `layout`
    says how the photo was prepared for it, and `names` what its outputs are called.
    """

    store: ArtifactStore
    bucket: str
    encoder_sha256: str
    layout: str
    names: tuple[str, ...]
    photo_sha256: str

    @property
    def place(self) -> Location:
        encoder = f"{self.encoder_sha256}-{self.layout}"
        return Location(self.bucket, f"embeddings/{_LAYOUT}/{encoder}/{self.photo_sha256}.npz")

    def recall(self) -> Features | None:
        """Return the embedding; None if it is missing or damaged."""
        return recall(self.store, self.place, self.names)

    def remember(self, features: Features) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, **features)  # type: ignore[arg-type] # no feature is called allow_pickle
        self.store.write(self.place, buffer.getvalue(), media_type="application/zip")


def recall(store: ArtifactStore, place: Location, names: Sequence[str]) -> Features | None:
    """Return the embedding at `place`, by `names`; None if it is missing or damaged."""
    try:
        content = store.read(place)
    except KeyError:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            features: Features = {name: arrays[name] for name in names}
    except _DAMAGES:
        return None
    return features if all(each.dtype == np.float32 for each in features.values()) else None
