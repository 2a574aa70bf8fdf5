"""A HEIC or AVIF photo as a Pillow image: its tiles are decoded one by one into one picture."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image, ImageFile
from PIL.ExifTags import Base as Tag

from pipeline.photo.colour.conversion import strips
from pipeline.photo.colour.meaning import Meaning
from pipeline.photo.heif.decoders import decode_still
from pipeline.photo.heif.picture import Layer, Picture, read_picture

# Bytes per pixel of the largest part: measured, and rounded up.
_PART, _DEEP_PART = 8, 16
_EIGHT_BITS: Final = 8


def prepare(content: bytes) -> bytes:
    """Return the file unchanged, after measuring its picture.

    Raises UnsupportedMedia, CorruptMedia or MediaTooLarge.
    """
    read_picture(content)
    return content


def opened(_name: str, content: bytes) -> HeifImageFile:
    """Open a file of either format."""
    return HeifImageFile(io.BytesIO(content))


def extra_bytes(image: ImageFile.ImageFile, _coded_pixels: int) -> int:
    """Return the memory for decoding the largest part: planes, colours and their copies."""
    return image.part_bytes  # type: ignore[attr-defined, no-any-return]


def read_meaning(image: ImageFile.ImageFile, _content: bytes) -> Meaning:
    """Return the profile of an opened picture, or the colour space of its code points."""
    icc_profile, _, space = image.colour  # type: ignore[attr-defined]
    return Meaning(tuple(stated for stated in (icc_profile, space) if stated))


class HeifImageFile(ImageFile.ImageFile):
    """The primary picture of a file; its orientation comes from HEIF's own properties."""

    def _open(self) -> None:
        assert self.fp is not None  # noqa: S101 - Pillow opens the file first
        self.picture: Picture | None = read_picture(self.fp.read())
        left, top, right, bottom = self.picture.crop
        colours, alpha = self.picture.colours, self.picture.alpha
        self.format = self.picture.name
        self._size = right - left, bottom - top
        self._mode = ("L" if colours.coding.grey else "RGB") + ("A" if alpha else "")
        self._orientation = self.picture.orientation
        self.part_bytes = max(map(_part_bytes, [colours, alpha] if alpha else [colours]))
        self.colour = self.picture.colour

    def getexif(self) -> Image.Exif:
        """Return the orientation alone."""
        exif = Image.Exif()
        exif[Tag.Orientation] = self._orientation
        return exif

    def load(self) -> None:
        """Decode the picture, if this is the first call."""
        if self.picture is not None:
            picture, self.picture = self.picture, None
            image = _composed(picture)
            cropped = picture.crop != (0, 0, *image.size)
            self.im = (image.crop(picture.crop) if cropped else image).im
        super().load()


def _part_bytes(layer: Layer) -> int:
    each = _PART if layer.coding.bits == _EIGHT_BITS else _DEEP_PART
    return layer.coding.width * layer.coding.height * each


def _composed(picture: Picture) -> Image.Image:
    image = _assembled(picture.colours)
    if picture.alpha is None:
        return image
    alpha = _assembled(picture.alpha).convert("L")
    if alpha.size != image.size:
        alpha = alpha.resize(image.size, Image.Resampling.BILINEAR)
    if picture.premultiplied:
        _divide(image, alpha)
    image.putalpha(alpha)
    return image


def _assembled(layer: Layer) -> Image.Image:
    if len(layer.tiles) == 1 and (layer.width, layer.height) == layer.coding[:2]:
        return decode_still(layer.still(layer.tiles[0]))
    canvas = Image.new("L" if layer.coding.grey else "RGB", (layer.width, layer.height))
    for index, tile in enumerate(layer.tiles):
        canvas.paste(decode_still(layer.still(tile)), layer.place(index))
    return canvas


def _divide(image: Image.Image, alpha: Image.Image) -> None:
    """Undo the multiplication of the colours by their alpha, a strip at a time."""
    for rows, strip in strips(image):
        share = np.maximum(np.asarray(alpha.crop((0, rows.start, image.width, rows.stop))), 1)
        colours = np.asarray(strip).astype(np.uint32)
        share = share.astype(np.uint32).reshape(*share.shape, *[1] * (colours.ndim - 2))
        divided = np.minimum((colours * 255 + share // 2) // share, 255)
        image.paste(Image.fromarray(divided.astype(np.uint8)), (0, rows.start))
