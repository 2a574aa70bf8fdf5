"""WebP: limit the canvas, which the decoder allocates when it opens the file."""

from __future__ import annotations

from typing import Final

from PIL import ImageFile

from pipeline.photo.limits import require_size

_CANVASES: Final = 16  # bytes per pixel: the decoder's two RGBA canvases, its output, unpacked data


def prepare(content: bytes) -> bytes:
    """Return the file unchanged; raise MediaTooLarge if its canvas is above a photo's limits."""
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        require_size(width, height, part="WebP canvas")
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        require_size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = (int.from_bytes(content[at : at + 2], "little") & 0x3FFF for at in (26, 28))
        require_size(width, height)
    return content


def extra_bytes(image: ImageFile.ImageFile, _coded_pixels: int) -> int:
    """Return the memory for the decoder's canvases."""
    return image.width * image.height * _CANVASES
