"""What an encoder made of a photo, kept in the work bucket for the next prompt."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.background_remover.network import Tensor
from pipeline.artifacts import ArtifactStore, Location

# Part of every key. Raise it when a photo is put on the canvas in another way.
_LAYOUT: Final = 1
_DAMAGES: Final = (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError)


@dataclass(frozen=True)
class EmbeddingCache:
    """The embedding of one photo version by one encoder, under the checksums of both.

    The encoder's is of the network that runs: in 8 bits the same weights embed otherwise.
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
        """The embedding; None if there is none, or not one whose own checksum holds."""
        try:
            content = self.store.read(self.place)
        except KeyError:
            return None
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                embedding: Tensor = arrays["embedding"]
        except _DAMAGES:
            return None
        return embedding if embedding.dtype == np.float32 else None

    def remember(self, embedding: Tensor) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, embedding=embedding)
        self.store.write(self.place, buffer.getvalue(), media_type="application/zip")
