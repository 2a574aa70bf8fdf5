"""Alpha as a linear function of a photo's colours and of the matte so far, for every pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Plane
from pipeline.photo.pixels import Pixels


class LinearModel(NamedTuple):
    """alpha = slope · RGB + offset + kept · (alpha so far).

    `slope` is 3×h×w for RGB in 0…1, `offset` and `kept` are h×w.
    """

    slope: Plane
    offset: Plane
    kept: Plane

    def applied(self, picture: Pixels, before: Plane, enlarged: Callable[[Plane], Plane]) -> Plane:
        """The alpha of an H×W×3 picture, 0…1; `enlarged` brings a plane to its size."""
        found = enlarged(self.kept)
        found *= before
        found += enlarged(self.offset)
        for slope, colour in zip(self.slope, in_planes(picture), strict=True):
            found += colour * enlarged(slope)
        return np.clip(found, 0, 1, out=found)


def in_planes(picture: Pixels) -> Plane:
    """H×W×3 bytes as 3×H×W in 0…1."""
    planes = np.empty((3, *picture.shape[:2]), dtype=np.float32)
    np.multiply(picture.transpose(2, 0, 1), np.float32(1 / 255), out=planes)
    return planes
