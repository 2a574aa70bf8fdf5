"""Cache a photo's encoder output in the work bucket, for later prompts."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.background_remover.network import Tensor
from pipeline.artifacts import ArtifactStore, Location

# Part of every key. Raise it when the placement on the canvas changes.
_LAYOUT: Final = 1
_DAMAGES: Final = (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError)


@dataclass(frozen=True)
class EmbeddingCache:
    """A cache entry for the embedding of one photo by one encoder, under both checksums.

    The encoder's checksum is that of the network that runs: in 8 bits, results differ.
    """

    store: ArtifactStore
    bucket: str
    encoder_sha256: str
    canvas: tuple[int, int]
    photo_sha256: str

    @property
    def place(self) -> Location:
        height, width = self.canvas
        encoder = f"{self.encoder_sha256}-{height}x{width}"
        return Location(self.bucket, f"embeddings/{_LAYOUT}/{encoder}/{self.photo_sha256}.npz")

    def recall(self) -> Tensor | None:
        """Return the embedding; None if it is missing or damaged."""
        return recall(self.store, self.place)

    def remember(self, embedding: Tensor) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, embedding=embedding)
        self.store.write(self.place, buffer.getvalue(), media_type="application/zip")


def recall(store: ArtifactStore, place: Location) -> Tensor | None:
    """Return the embedding at `place`; None if it is missing or damaged."""
    try:
        content = store.read(place)
    except KeyError:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            embedding: Tensor = arrays["embedding"]
    except _DAMAGES:
        return None
    return embedding if embedding.dtype == np.float32 else None
