"""The samples of a recording, as arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]  # (n, channels), full scale from -1 to 1
Integers = npt.NDArray[np.int16]  # (n, channels)


def mono(samples: Samples) -> Samples:
    """Return the mean of all channels, (n, 1)."""
    return samples if samples.shape[1] == 1 else samples.mean(axis=1, keepdims=True)
