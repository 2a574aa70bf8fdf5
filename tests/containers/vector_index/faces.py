"""Make vectors that lie as those of faces do: some of each person, alike, and people far apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ALIKE = 0.735  # cosine of two vectors of one person


def people(count: int, each: int, dimension: int, *, seed: int = 1) -> npt.NDArray[np.float32]:
    """Return vectors (count · each × dimension): those of a person follow each other."""
    chance = np.random.default_rng(seed)
    centres = np.repeat(chance.standard_normal((count, dimension)), each, axis=0)
    own = chance.standard_normal((count * each, dimension))
    mixed = ALIKE**0.5 * centres + (1 - ALIKE) ** 0.5 * own
    vectors: npt.NDArray[np.float32] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return vectors.astype(np.float32)
