"""Name the arrays of comparing, beside those of rows."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from containers.vector_index.stored.rows import Mask

Bitmap = npt.NDArray[np.uint8]  # (rows / 8,): a mask, of which a byte's lowest bit is the first
Similarities = npt.NDArray[np.float32]  # (queries, k), falling; -1…1
Numbers = npt.NDArray[np.int64]  # (queries, k): rows, or NONE where there are no more

NONE: Final = -1


def bitmap(mask: Mask) -> Bitmap:
    return np.packbits(mask, bitorder="little")


def clamped(similarities: Similarities) -> Similarities:
    """Return cosines within -1…1: rounded vectors are not quite of length 1."""
    return np.clip(similarities, -1, 1)
