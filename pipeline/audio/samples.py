"""The samples of a recording, as arrays."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]  # (n, channels), full scale from -1 to 1
Integers = npt.NDArray[np.int16]  # (n, channels)
Bits = Literal[16, 24]


def mono(samples: Samples) -> Samples:
    """Return the mean of all channels, (n, 1)."""
    return samples if samples.shape[1] == 1 else samples.mean(axis=1, keepdims=True)


def as_integers(samples: Samples | Integers, bits: Bits) -> npt.NDArray[Any]:
    """Return samples as libsndfile takes them: int16, or 24 bits in the upper part of int32.

    Floats are rounded to the nearest step; more than full scale is cut.
    """
    if samples.dtype == np.int16:
        return samples if bits == 16 else samples.astype(np.int32) << 16
    full = float(2 ** (bits - 1))
    whole = np.rint(np.clip(samples.astype(np.float64) * full, -full, full - 1))
    return whole.astype(np.int16) if bits == 16 else whole.astype(np.int32) << 8
