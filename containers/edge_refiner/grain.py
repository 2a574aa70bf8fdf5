"""How much of a photo is grain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.edge_refiner.tiling import Tile
from pipeline.photo.pixels import Pixels

_MOST_TILES: Final = 8
_GAIN: Final = 6.0  # of the mask below on white noise: √(4·1 + 4·4 + 16)
_MEDIAN: Final = 0.6745  # of the distance from the mean, in standard deviations


def grain_of(rgb: Pixels, where: Sequence[Tile]) -> float:
    """The standard deviation of an H×W×3 photo's grain, 0…1, in some of the given tiles.

    By the median response to a mask that is blind to slopes and edges (Immerkær, 1996).
    """
    chosen = where[:: max(1, len(where) // _MOST_TILES)]
    responses = [_responses(rgb[tile.inside]) for tile in chosen]
    found = np.concatenate(responses) if responses else np.zeros(1, dtype=np.int16)
    if not found.size:
        return 0.0
    return float(np.median(found)) / _MEDIAN / _GAIN / 255


def _responses(rgb: Pixels) -> npt.NDArray[np.int16]:
    green = rgb[..., 1].astype(np.int16)
    across = green[:, :-2] - 2 * green[:, 1:-1] + green[:, 2:]
    down = across[:-2] - 2 * across[1:-1] + across[2:]
    responses: npt.NDArray[np.int16] = np.abs(down).ravel()
    return responses
