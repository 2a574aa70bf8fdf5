"""The photo formats that are read: how to recognise each, and check it before decoding.

A decoder obeys its input: it unpacks every text, processes every scan and allocates every canvas
that the file states. So the format's module first counts and measures the parts of a file, and
removes those that its pixels do not need. To add a format, write its module and add a row below.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from PIL import Image, ImageFile

from pipeline.errors import UnsupportedMedia
from pipeline.photo import bmp, gif, jpeg, png, tiff, webp
from pipeline.photo.colour.meaning import Meaning
from pipeline.photo.heif import image as heif
from pipeline.photo.refused import name_of

# Bytes per pixel while decoding: measured, rounded up, and checked by tests for every format.
_NARROW: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_WIDE: Final = 4  # any other mode
_RGB_AND_ALPHA: Final = 4  # the upright result
_STRIP_BYTES: Final = 16 * 2**20  # the conversion works on one strip of rows at a time


def _unchanged(content: bytes) -> bytes:
    return content


def _complete(_image: ImageFile.ImageFile, _content: bytes) -> bool:
    return True


def _nothing(_image: ImageFile.ImageFile, _coded_pixels: int) -> int:
    return 0


def _profile_only(image: Image.Image, _content: bytes) -> Meaning:
    profile = image.info.get("icc_profile")
    return Meaning((profile,) if profile else ())


def _by_pillow(name: str, content: bytes) -> ImageFile.ImageFile:
    return Image.open(io.BytesIO(content), formats=[name])


class Format(NamedTuple):
    """A photo format. `name` is Pillow's; `signature` matches the first bytes of its files.

    `open` takes the name and the prepared bytes; it opens the picture, and decodes no pixel.
    `prepare` returns the bytes for the decoder, or raises MediaTooLarge or UnsupportedMedia.
    `is_complete` takes a decoded picture and those bytes; it returns False if the decoder filled in
    missing rows. `extra_bytes` takes an opened picture and the number of pixels in the file; it
    returns the memory that the decoder needs in addition to the pixels. `read_meaning` takes an
    opened picture and the file; it returns what the file states about colours and levels. Files of
    a `packed` format have hardly a bit that could be foretold.
    """

    name: str
    signature: re.Pattern[bytes]
    prepare: Callable[[bytes], bytes] = _unchanged
    is_complete: Callable[[ImageFile.ImageFile, bytes], bool] = _complete
    extra_bytes: Callable[[ImageFile.ImageFile, int], int] = _nothing
    read_meaning: Callable[[ImageFile.ImageFile, bytes], Meaning] = _profile_only
    open: Callable[[str, bytes], ImageFile.ImageFile] = _by_pillow
    packed: bool = False

    def decoding_bytes(self, image: ImageFile.ImageFile, coded: tuple[int, int]) -> int:
        """Return the most bytes that decoding an opened picture needs, excluding its file.

        `coded` is width and height in the file: a JPEG may be decoded at a smaller size.
        """
        each = _NARROW.get(image.mode, _WIDE) + _RGB_AND_ALPHA
        extra = self.extra_bytes(image, coded[0] * coded[1])
        return image.width * image.height * each + extra + _STRIP_BYTES


def _starts(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


# ISO base media files say first whom they are for; a general brand comes before those in detail.
_GENERAL: Final = rb"mi(?:f[12]|af)|msf1"
_AVIF: Final = rb".{4}ftyp(?:avi[fos]|(?:%s)(?:.{4}){1,16}?avi[fos])" % _GENERAL
_HEIC: Final = rb".{4}ftyp(?:he[iv][cmsx]|%s)" % _GENERAL

FORMATS: Final = (
    Format(
        "JPEG", _starts(rb"\xff\xd8\xff"), jpeg.prepare, jpeg.is_complete, jpeg.extra_bytes,
        open=jpeg.opened, packed=True,
    ),
    Format(
        "PNG", _starts(rb"\x89PNG\r\n\x1a\n"), png.prepare, png.is_complete, png.extra_bytes,
        png.read_meaning,
    ),
    Format(
        "WEBP", _starts(rb"RIFF.{4}WEBP"), webp.prepare, extra_bytes=webp.extra_bytes, packed=True,
    ),
    Format(
        "TIFF", _starts(rb"II[*+]\0|MM\0[*+]"), tiff.prepare, extra_bytes=tiff.extra_bytes,
        read_meaning=tiff.read_meaning,
    ),
    Format("BMP", _starts(rb"BM"), read_meaning=bmp.read_meaning),
    Format("GIF", _starts(rb"GIF8[79]a"), read_meaning=gif.read_meaning, packed=True),
    Format(
        "AVIF", _starts(_AVIF), heif.prepare, extra_bytes=heif.extra_bytes,
        read_meaning=heif.read_meaning, open=heif.opened, packed=True,
    ),
    Format(
        "HEIC", _starts(_HEIC), heif.prepare, extra_bytes=heif.extra_bytes,
        read_meaning=heif.read_meaning, open=heif.opened, packed=True,
    ),
)  # fmt: skip


def identify(content: bytes) -> Format:
    """Return the format that the first bytes show; raise UnsupportedMedia if there is none."""
    for photo_format in FORMATS:
        if photo_format.signature.match(content):
            return photo_format
    raise UnsupportedMedia(name_of(content))
