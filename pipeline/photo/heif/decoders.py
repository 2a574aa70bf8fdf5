"""Decode one coded picture to 8 bits: HEVC by libheif and libde265, AV1 by Pillow's libavif."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.errors import CorruptMedia
from pipeline.photo.heif.still import Still, write_still

_FAULTS: Final = (RuntimeError, SyntaxError, ValueError, EOFError)  # of libheif and libavif
_EIGHT: Final = 8
_STRIP_SAMPLES: Final = 2**18


def decode_still(still: Still) -> Image.Image:
    """Decode a picture; the result is grey (L) or RGB.

    Raises CorruptMedia for another size than stated, OSError for what the decoder cannot decode.
    """
    try:
        image = _av1(still) if still.codec == b"av01" else _hevc(still)
    except _FAULTS as fault:
        raise OSError(str(fault)) from fault
    if image.size != (still.coding.width, still.coding.height):
        raise CorruptMedia(f"damaged HEIF: a part of {image.width} × {image.height} pixels")
    return image.convert("L" if still.coding.grey else "RGB")


def _av1(still: Still) -> Image.Image:
    image = Image.open(io.BytesIO(write_still(still)), formats=["AVIF"])
    image.load()
    return image


def _hevc(still: Still) -> Image.Image:
    from pi_heif.heif import open_heif  # noqa: PLC0415 - 25 ms, which only HEIC photos pay

    file = write_still(still)
    (decoded,) = open_heif(file, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    data, size = decoded.data, decoded.size
    mode = "L" if still.coding.grey else "RGB"
    if still.coding.bits == _EIGHT:
        return Image.frombytes(mode, size, data)
    deep = np.frombuffer(data, dtype="<u2").reshape(size[1], size[0], -1)
    return Image.fromarray(_eight_bit(deep, still.coding.bits))


def _eight_bit(deep: npt.NDArray[np.uint16], bits: int) -> npt.NDArray[np.uint8]:
    """Scale H×W×1 or H×W×3 samples to 8 bits, H×W or H×W×3, rounded."""
    most = (1 << bits) - 1
    table = ((np.arange(most + 1) * 255 + most // 2) // most).astype(np.uint8)
    scaled = np.empty(deep.shape, dtype=np.uint8)
    step = max(1, _STRIP_SAMPLES // (deep.shape[1] * deep.shape[2]))
    for top in range(0, len(deep), step):
        scaled[top : top + step] = table[np.minimum(deep[top : top + step], most)]
    return scaled[..., 0] if deep.shape[2] == 1 else scaled
