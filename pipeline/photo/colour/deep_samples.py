"""Samples of more than 8 bits: grey levels, and a transparent colour of 16 bits a channel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.errors import UnsupportedMedia
from pipeline.photo.colour.meaning import Meaning


def alpha_of_key(
    key: tuple[int, ...], low: Image.Image
) -> Callable[[slice, Image.Image], npt.NDArray[np.uint8]]:
    """Return a reader of alpha: 0 where all 16 bits of a pixel are those of the key, else 255."""
    upper, lower = np.array(key) >> 8, np.array(key) & 0xFF

    def read(rows: slice, strip: Image.Image) -> npt.NDArray[np.uint8]:
        below = np.asarray(low.crop((0, rows.start, low.width, rows.stop)))
        same = (np.asarray(strip) == upper) & (below == lower)
        return np.where(same.all(axis=-1), 0, 255).astype(np.uint8)

    return read


def deep_grey(image: Image.Image, meaning: Meaning) -> npt.NDArray[np.int64]:
    """Return grey of more than 8 bits with black at 0 and white at 65,535, H×W."""
    deep = np.asarray(image).astype(np.int64)
    if deep.min() < 0 or deep.max() > meaning.white:
        raise UnsupportedMedia(
            f"grey levels from {deep.min()} to {deep.max()}; the limits are 0 and {meaning.white}"
        )
    if meaning.white != 0xFFFF:
        deep = (deep * 0xFFFF + meaning.white // 2) // meaning.white
    return 0xFFFF - deep if meaning.inverted else deep


def eight_bit(deep: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Scale 16-bit grey to 8 bits, H×W."""
    return ((deep * 255 + 0x7FFF) // 0xFFFF).astype(np.uint8)
