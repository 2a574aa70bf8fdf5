"""Declare the tables of rows, and the kinds of arrays in this container."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

CONTAINER: Final = "face-embedder"

Pixels = npt.NDArray[np.uint8]  # (height, width, 3) of a photo, or (side, side, 3) of a face
Tensor = npt.NDArray[np.float32]
Boxes = npt.NDArray[np.float32]  # (n, 4): left, top, right, bottom, in pixels of the photo
Scores = npt.NDArray[np.float32]  # (n,): probabilities of a face
Points = npt.NDArray[np.float64]  # (n, 2): x and y, in pixels of the photo
Indices = npt.NDArray[np.intp]
Vectors = npt.NDArray[np.float32]  # (faces, dimension)


class EmbedderSpec(BaseModel):
    """What the tables of both engines say.

    A face gets a vector of `dimension` numbers if its score is at least `least_score` and the
    shorter side of its box at least `least_side` pixels. Two vectors whose cosine similarity is at
    least `same_above` may be one person's.
    """

    model_config = ConfigDict(frozen=True)

    dimension: int
    same_above: float
    least_score: float
    least_side: int


class FacenetSpec(EmbedderSpec):
    """The table of a row whose faces MTCNN finds.

    The embedding network takes pictures of `side`² pixels: of a face's box, stretched (`box`), or
    moved, turned and scaled until its five points are where the network expects them (`points`).
    """

    align: Literal["box", "points"]
    side: int


class DlibSpec(EmbedderSpec):
    """The table of a row for faces with 68 landmarks, which the analyzer's row `detector` finds."""

    detector: str
