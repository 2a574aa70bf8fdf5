"""Mask to alpha matte at the photo's resolution."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from containers.edge_refiner.budget import RESOLUTIONS, Budget
from containers.edge_refiner.following import Fit, follow_edges
from containers.edge_refiner.mask import Alpha, doubt_of, doubtful, enlarge_mask, settle
from containers.edge_refiner.matting import solve_edges
from containers.edge_refiner.separation import separate
from containers.edge_refiner.tiling import tiles
from pipeline.contracts.cutout import Refine, Refinement
from pipeline.photo.pixels import Photo, Pixels


class Improve(Protocol):
    """Makes an H×W matte better, in place, in the band `doubt` of an H×W×3 photo."""

    def __call__(
        self, photo: Pixels, alpha: Alpha, doubt: Pixels, *, mask_pixel: float, finest: int
    ) -> None: ...


_SIDE: Final = 160
_COARSEST: Final = 0.9  # mask pixels: a coarser copy knows less than the mask
_BLUR: Final = 0.9  # of a mask pixel, the standard deviation of what a network blurs
_AFTERWARDS: Final[dict[Refine, tuple[tuple[Refine, Improve], ...]]] = {
    "fast": (),
    "auto": (("auto", separate),),
    "matting": (("auto", separate), ("matting", solve_edges)),
}


def estimate_alpha(
    photo: Photo, mask: Pixels, *, mode: Refine, budget: Budget
) -> tuple[Refinement, Alpha]:
    """What was done, and an H×W float32 matte in 0…1, from an h×w uint8 mask.

    Alpha the photo came with is kept: what was transparent stays transparent.
    """
    done, alpha = _estimate(photo.on_white(), mask, mode, budget)
    if photo.alpha is not None:
        np.minimum(alpha, photo.alpha / np.float32(255), out=alpha)
    return done, alpha


def opacity_of(alpha: Alpha) -> Pixels:
    """An alpha matte in 8 bits."""
    return (alpha * 255 + np.float32(0.5)).astype(np.uint8)


def _estimate(rgb: Pixels, mask: Pixels, mode: Refine, budget: Budget) -> tuple[Refinement, Alpha]:
    kept = Refinement(mode="none", budget_mb=budget.memory_mb)
    if mode == "none":
        return kept, enlarge_mask(mask, rgb.shape)
    doubt = doubt_of(mask)
    pixel = max(1.0, max(rgb.shape[:2]) / max(mask.shape))
    areas = rgb.shape[0] * rgb.shape[1], _pixels(doubt, rgb.shape)
    finest = budget.finest("fast", *areas)
    reason = _why_not(doubt, pixel, finest)
    if reason:
        return kept.model_copy(update={"kept_mask": reason}), enlarge_mask(mask, rgb.shape)
    fit = Fit.planned(_BLUR * pixel, finest=finest)
    alpha, done = follow_edges(rgb, settle(mask, doubt), doubt, fit), "fast"
    for name, improve in _AFTERWARDS[mode]:
        coarser = budget.finest(name, *areas)
        if _COARSEST * coarser <= pixel:
            improve(rgb, alpha, doubt, mask_pixel=pixel, finest=coarser)
            done, finest = name, coarser
    return kept.model_copy(update={"mode": done, "resolution": RESOLUTIONS[finest]}), alpha


def _pixels(doubt: Pixels, shape: tuple[int, ...]) -> int:
    """How many of an H×W photo are in tiles that the band reaches into."""
    return sum(tile.pixels for tile in doubtful(tiles(shape, _SIDE), doubt, shape))


def _why_not(doubt: Pixels, pixel: float, finest: int) -> str | None:
    """Why the mask, whose pixels are `pixel` of the photo's, is to be taken as it is."""
    if not doubt.any():
        return "there is no edge in it"
    if doubt.all():
        return "nothing in it is certain"
    if pixel < _COARSEST * finest:
        return "the memory is too small to work as finely as the mask is"
    return None
