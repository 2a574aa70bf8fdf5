"""Is there a subject at all? Asked of the model's absolute confidence, never of a stretched mask.

Published tools stretch every mask to its full range, which turns "nothing here" into noise.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipeline.errors import NoSubject
from pipeline.photo import Pixels

CONFIDENT: Final = 128
LEAST_COVERAGE: Final = 0.002


def require_subject(mask: Pixels, *, least_coverage: float = LEAST_COVERAGE) -> dict[str, float]:
    """Figures of an H×W mask, or NoSubject if too little of it is confidently subject.

    `subject_coverage` is the share of confident pixels, `mask_softness` the share of undecided
    ones (10 %…90 %), `mask_confidence` the mean certainty of the confident ones; all 0…1.
    """
    confident = mask >= CONFIDENT
    coverage = float(confident.mean())
    if coverage < least_coverage:
        raise NoSubject(
            f"{coverage:.2%} of the photo stands out; at least {least_coverage:.1%} has to"
        )
    undecided = (mask > 0.1 * 255) & (mask < 0.9 * 255)
    return {
        "subject_coverage": round(coverage, 5),
        "mask_softness": round(float(undecided.mean()), 5),
        "mask_confidence": round(float(np.mean(mask[confident])) / 255, 5),
    }
