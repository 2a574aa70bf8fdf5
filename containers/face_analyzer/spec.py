"""Declare a row's table of its networks, and the kinds of arrays in this container."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

CONTAINER: Final = "face-analyzer"

Numbers = npt.NDArray[np.float32]
Boxes = npt.NDArray[np.float64]  # (faces, 4): left, top, right, bottom in pixels of the photo
Scores = npt.NDArray[np.float32]  # (faces,), 0…1


class SsdSpec(BaseModel):
    """The table of a row whose detector is an SSD.

    The network takes a square of `side` pixels, and returns `boxes` boxes. Of two boxes that
    overlap by more than `overlap` (intersection over union), the one of lower score is left out.
    """

    model_config = ConfigDict(frozen=True)

    side: int
    boxes: int
    overlap: float


class TinySpec(BaseModel):
    """The table of a row whose detector is face-api's tiny YOLO.

    The network takes a square of `side` pixels, a multiple of 32. `overlap` is as in `SsdSpec`.
    """

    model_config = ConfigDict(frozen=True)

    side: int
    overlap: float
