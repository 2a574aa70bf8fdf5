"""Which pixels are certainly subject, certainly background, or neither."""

from __future__ import annotations

from typing import Final

import numpy as np

from containers.edge_refiner.box_filter import Plane, box_mean
from pipeline.photo.pixels import Pixels

BACKGROUND: Final = 0
UNKNOWN: Final = 128
FOREGROUND: Final = 255
_SURE: Final = 0.95


def mask_to_trimap(mask: Plane, *, band_radius: int) -> Pixels:
    """H×W of exactly {0, 128, 255}: the edge band is within `band_radius` of any doubt.

    `mask` is 0…1. A pixel is in doubt when its own 3×3 surroundings are neither all subject nor
    all background, so that a hard edge has a band too.
    """
    surroundings = box_mean(mask, 1)
    doubt = (surroundings > 1 - _SURE) & (surroundings < _SURE)
    band = box_mean(doubt.astype(np.float32), band_radius) > 0
    trimap = np.where(mask >= 0.5, np.uint8(FOREGROUND), np.uint8(BACKGROUND))
    trimap[band] = UNKNOWN
    return trimap
