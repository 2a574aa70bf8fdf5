"""The decoder's low-resolution logits as small grey images of the photo's part, and back.

An image may be enlarged before it is cut at the boundary level: its levels are linear in the
logits, so the outline is as smooth as that of enlarged logits.
"""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from containers.background_remover.canvas import Placement
from containers.background_remover.network import Tensor
from pipeline.contracts.selection import BOUNDARY_LEVEL, LEVELS_PER_LOGIT, MaskGrid, PhotoArea
from pipeline.photo.encoding import encode
from pipeline.photo.grey_png import require_grey_png
from pipeline.photo.pixels import Pixels

# The logit of level 0, which stands where an earlier mask says nothing: beside the photo.
_LOWEST: Final = -BOUNDARY_LEVEL / LEVELS_PER_LOGIT


@dataclass(frozen=True)
class Grid:
    """A `side`×`side` plane over the square in which a photo is placed, and the photo's part of it.

    The square's side is the canvas's longer side.
    """

    placement: Placement
    side: int

    @property
    def described(self) -> MaskGrid:
        """Return the size of the photo's part, upright, and where exactly the photo is on it."""
        height, width = self._exact
        rows, columns = self._whole
        if not self.placement.turned:
            area = PhotoArea(x=0, y=0, width=width, height=height)
            return MaskGrid(width=columns, height=rows, photo=area)
        # The photo begins in the top row, which becomes the right column.
        area = PhotoArea(x=rows - height, y=0, width=height, height=width)
        return MaskGrid(width=rows, height=columns, photo=area)

    def lift(self, plane: Tensor) -> Tensor:
        """Return the photo's part of a plane, upright."""
        rows, columns = self._whole
        part = plane[:rows, :columns]
        return np.ascontiguousarray(np.rot90(part, -1)) if self.placement.turned else part

    def lay(self, part: Tensor) -> Tensor:
        """Return a plane with an upright photo's part; beside it, nothing is the subject."""
        rows, columns = self._whole
        plane = np.full((self.side, self.side), _LOWEST, np.float32)
        plane[:rows, :columns] = np.rot90(part) if self.placement.turned else part
        return plane

    @property
    def _exact(self) -> tuple[float, float]:
        """Height and width of the photo as it lies, in pixels of the plane."""
        scale = self.side / max(self.placement.canvas)
        return self.placement.height * scale, self.placement.width * scale

    @property
    def _whole(self) -> tuple[int, int]:
        height, width = self._exact
        return math.ceil(height), math.ceil(width)


def to_png(logits: Tensor) -> str:
    """Return logits as an 8-bit grey PNG, in base64."""
    levels = np.floor(BOUNDARY_LEVEL + LEVELS_PER_LOGIT * logits.astype(np.float64) + 0.5)
    grey: Pixels = levels.clip(0, 255).astype(np.uint8)
    return base64.b64encode(encode(grey, picture_format="png")).decode()


def from_png(text: str, grid: MaskGrid) -> Tensor:
    """Return the logits of a PNG of ours, in base64. Raises ValueError for any other."""
    content = base64.b64decode(text, validate=True)
    require_grey_png(content, width=grid.width, height=grid.height)
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        levels: Tensor = np.asarray(image, dtype=np.float32)
    logits: Tensor = (levels - BOUNDARY_LEVEL) / np.float32(LEVELS_PER_LOGIT)
    return logits
