"""Estimate the alpha matte of a photo from a coarse mask, as finely as the budget allows."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from containers.edge_refiner.bayesian_matting import separate_layers
from containers.edge_refiner.budget import RESOLUTIONS, Budget
from containers.edge_refiner.closed_form_matting import solve_band
from containers.edge_refiner.edge_band import Alpha, Band, enlarge_mask
from containers.edge_refiner.guided_filter import follow_edges
from pipeline.contracts.cutout import Output, Refine, Refinement
from pipeline.photo.pixels import Photo, Pixels


class Improve(Protocol):
    """Improves an H×W matte in place, in the edge band of an H×W×3 photo."""

    def __call__(self, photo: Pixels, alpha: Alpha, band: Band, *, finest: int) -> None: ...


FOLLOWED: Final = 0.625  # share of `auto`'s change to a matte, chosen in docs/decisions/0042
_COARSEST: Final = 0.9  # mask pixels: on a coarser copy, refining would lose the mask's own detail
# Steps after the guided filter, each with the mode whose budget it needs.
_FURTHER_STEPS: Final[dict[Refine, tuple[tuple[Refine, Improve], ...]]] = {
    "fast": (),
    "auto": (("auto", separate_layers),),
    "matting": (("auto", separate_layers), ("matting", solve_band)),
}


def estimate_alpha(
    photo: Photo, mask: Pixels, output: Output = "mask", *, mode: Refine, budget: Budget
) -> tuple[Refinement, Alpha]:
    """Return the refinement that was done and an H×W float32 matte in 0…1.

    `mask` is h×w uint8, 0 background to 255 foreground. If the model's `output` is alpha, nothing
    outside the edge band is rounded, and `auto` follows only `FOLLOWED` of its change. Steps of
    `mode` for which the budget is too small are skipped; the refinement has the mode that was
    reached. The matte never exceeds the photo's own alpha: transparent pixels stay transparent.
    """
    done, alpha = _estimate(photo.on_white(), mask, output, mode, budget)
    if photo.alpha is not None:
        np.minimum(alpha, photo.alpha / np.float32(255), out=alpha)
    return done, alpha


def _estimate(
    rgb: Pixels, mask: Pixels, output: Output, mode: Refine, budget: Budget
) -> tuple[Refinement, Alpha]:
    unrefined = Refinement(mode="none", budget_mb=budget.memory_mb)
    if mode == "none":
        return unrefined, enlarge_mask(mask, rgb.shape)
    band = (Band.of_matte if output == "alpha" else Band.of)(mask, rgb.shape)
    photo_pixels = rgb.shape[0] * rgb.shape[1]
    band_pixels = sum(tile.pixels for tile in band.tiles())
    finest = budget.finest_reduction("fast", photo_pixels, band_pixels)
    reason = _reason_to_keep(band, finest)
    if reason:
        return unrefined.model_copy(update={"kept_mask": reason}), enlarge_mask(mask, rgb.shape)
    alpha, done = follow_edges(rgb, band, finest=finest), "fast"
    for step, improve in _FURTHER_STEPS[mode]:
        coarser = budget.finest_reduction(step, photo_pixels, band_pixels)
        if _COARSEST * coarser <= band.mask_pixel:
            improve(rgb, alpha, band, finest=coarser)
            done, finest = step, coarser
    if output == "alpha" and mode == "auto":
        band.follow(alpha, share=FOLLOWED)
    return unrefined.model_copy(update={"mode": done, "resolution": RESOLUTIONS[finest]}), alpha


def _reason_to_keep(band: Band, finest: int) -> str | None:
    """Return why the mask cannot be refined, or None if it can."""
    if not band.edge.any():
        return "the mask has no edge"
    if band.edge.all():
        return "no part of the mask is certain"
    if band.mask_pixel < _COARSEST * finest:
        return "memory is too small to refine at the mask's resolution"
    return None
