"""Whether a file held every pixel its header promises.

Decoders fill in what is missing: the rest of a JPEG becomes middle grey, that of a PNG zero. Where
a picture ends like that, the file is asked again.
"""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageFile

from pipeline.errors import CorruptMedia
from pipeline.photo.jpeg import overfill
from pipeline.photo.png import has_all_rows

_BLOCK: Final = 8
_BLACK: Final = (0, 0)
_GREY: Final = (126, 129)  # what no coefficients at all decode to, whatever the colours


def require_complete(image: ImageFile.ImageFile, content: bytes, name: str) -> None:
    """CorruptMedia if a decoded JPEG or PNG (as Pillow calls it) has less than its size says."""
    complete = True
    if name == "JPEG" and _ends_in(image, _GREY, rows=_BLOCK):
        complete = not _gains_from(overfill(content), image)
    if name == "PNG" and (image.info.get("interlace") or _ends_in(image, _BLACK, rows=1)):
        complete = has_all_rows(content)
    if not complete:
        raise CorruptMedia(f"it begins like a {name} and then breaks: its last rows are missing")


def _ends_in(image: Image.Image, levels: tuple[int, int], *, rows: int) -> bool:
    """Whether the end of the last rows has nothing but levels between the two."""
    right, bottom = image.size
    corner = image.crop((max(0, right - _BLOCK), max(0, bottom - rows), right, bottom))
    block = np.asarray(corner)
    return bool(((block >= levels[0]) & (block <= levels[1])).all())


def _gains_from(content: bytes, image: Image.Image) -> bool:
    """Whether a longer file decodes, at the same scale, to another picture."""
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as longer:
        longer.draft(None, image.size)
        longer.load()
        return ImageChops.difference(image, longer).getbbox(alpha_only=False) is not None
