"""What colour says of alpha, how sure that is, and how it is weighed against a matte.

Seen along the direction that tells two layers' colours apart best (Fisher's discriminant), a mixed
pixel lies between their means, as far from the background's as its alpha says. How sure that is
depends on how far apart the means are and how widely the colours scatter; how sure a matte is, on
how steep it is. The two are weighed by their variances: Bayesian matting (Chuang, Curless, Salesin
and Szeliski, 2001) with windows instead of clusters.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.covariance import dot, solve
from containers.edge_refiner.layers import Layers
from containers.edge_refiner.linear_model import LinearModel

_STEADY: Final = np.float32(0.02)  # no matte is known better


class Opinion(NamedTuple):
    """The alpha that colour alone gives, direction · (RGB - background) ÷ certainty.

    `direction` and `background` are 3×h×w for RGB in 0…1, `certainty` is the inverse of the
    opinion's variance, h×w.
    """

    direction: Plane
    background: Plane
    certainty: Plane

    @classmethod
    def of(cls, layers: Layers, alpha: Plane) -> Opinion:
        """What follows from two layers where an h×w matte is nearly right."""
        subject, background = layers
        # More than a mixture's own: which of two patterns a soft pixel shows is a guess.
        spread = alpha * subject.spread + (1 - alpha) * background.spread
        apart = subject.mean - background.mean
        direction = solve(spread, apart)
        return cls(direction, background.mean, dot(direction, apart))

    def weighed(self, variance: Plane) -> LinearModel:
        """What it says together with a matte of that h×w variance; `kept` is the matte's weight."""
        share = variance / (1 + variance * self.certainty)
        offset = -share * dot(self.direction, self.background)
        return LinearModel(share * self.direction, offset, 1 - share * self.certainty)


def slack(alpha: Plane, radius: int, *, freedom: float) -> Plane:
    """The variance of an h×w matte: the steeper it is in windows, the more; `freedom` scales it."""
    mean, square = box_mean(np.stack([alpha, alpha * alpha]), radius)
    deviation = np.float32(freedom) * np.sqrt(np.maximum(square - mean * mean, 0)) + _STEADY
    variance: Plane = deviation * deviation
    return variance
