"""Decide whether a photo has a subject, by the model's absolute confidence.

Published tools stretch every mask to its full range, which turns an empty mask into noise.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.errors import NoSubject
from pipeline.photo.pixels import Photo, Pixels

CONFIDENT: Final = 128
SURE: Final = 230  # networks give textures about half, and a subject's inside more than this
LEAST_COVERAGE: Final = 0.002


def require_visible(photo: Photo) -> Pixels:
    """Return H×W×3 of a photo on white. Raises NoSubject if all of it is transparent."""
    if photo.alpha is not None and not photo.alpha.any():
        raise NoSubject("every pixel of the photo is transparent")
    return photo.on_white()


def require_subject(mask: Pixels, *, least_coverage: float = LEAST_COVERAGE) -> dict[str, float]:
    """Return metrics of an H×W mask. Raises NoSubject if too few pixels are 90% confident.

    `subject_coverage` is the share of confident pixels, `mask_softness` the share of undecided ones
    (10%…90%), `mask_confidence` the mean certainty of the confident ones; `subject_x` and
    `subject_y` are the centre of the confident ones, as fractions of width and height. All are 0…1.
    """
    confident_share = float((mask >= SURE).mean())
    if confident_share < least_coverage:
        raise NoSubject(
            f"the model is confident about {confident_share:.2%} of the photo; "
            f"at least {least_coverage:.1%} is required"
        )
    confident = mask >= CONFIDENT
    undecided = (mask > 0.1 * 255) & (mask < 0.9 * 255)
    return {
        "subject_coverage": round(float(confident.mean()), 5),
        "mask_softness": round(float(undecided.mean()), 5),
        "mask_confidence": round(float(np.mean(mask[confident])) / 255, 5),
        "subject_x": round(_centre(confident.mean(axis=0)), 5),
        "subject_y": round(_centre(confident.mean(axis=1)), 5),
    }


def _centre(weights: npt.NDArray[np.float64]) -> float:
    """Return the centre of weights along one side, as a fraction of the side."""
    places = (np.arange(weights.size) + 0.5) / weights.size
    return float(np.average(places, weights=weights))
