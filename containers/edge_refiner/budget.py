"""Plan the memory of one photo: the bytes to reserve, and the finest copy to refine it on.

Memory peaks in two stages. Encoding the output images always takes the same, so that much is
reserved before the photo is decoded. Refining takes less on a smaller copy of the photo, so the
copy's size is chosen to fit.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from containers.edge_refiner.resampling import small_size
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import CutoutOptions, Refine, Resolution
from pipeline.photo.encoding import AVIF_PIXELS
from pipeline.photo.limits import MAX_SIDE

# Resolution by reduction: how many times smaller the finest copy is than the photo.
RESOLUTIONS: Final[dict[int, Resolution]] = {1: "full", 2: "half", 4: "quarter"}

_PROCESS_MB: Final = 154  # Python and its libraries
_TILES_MB: Final = 96  # a tile or strip for each thread
# Bytes per photo pixel while encoding, at most: measured for a lossless WEBP with alpha.
_OUTPUT_BYTES: Final = 38
# While encoding an AVIF: bytes per photo pixel that are held, and bytes per pixel of the AVIF.
_HELD_BYTES: Final = 13
_AVIF_BYTES: Final = 48
# Bytes per photo pixel while refining: the photo, its alpha matte, and the cutout made of them.
_PHOTO_BYTES: Final = 20
# Bytes per pixel of the finest copy: its colours and matte, and those of the pass before.
_COPY_BYTES: Final = 20
# Most pixels of the finest copy in tiles that the edge band reaches: a limit on the time taken.
_MOST_BAND_PIXELS: Final[dict[Refine, int]] = {
    "fast": 12_000_000,
    "auto": 1_500_000,
    "matting": 3_000_000,
}


def refining_bytes(source: SourcePhoto, options: CutoutOptions | None = None) -> int:
    """Return the most bytes that a photo needs in addition to the process at rest.

    The encoder of AVIF needs more than the others, but never gets more than `AVIF_PIXELS`.
    """
    pixels = source.width * source.height
    needed = pixels * _OUTPUT_BYTES
    if options and options.format == "avif":
        width, height = small_size((source.height, source.width), options.size or MAX_SIDE)
        encoded = min(width * height, AVIF_PIXELS)
        needed = max(needed, pixels * _HELD_BYTES + encoded * _AVIF_BYTES)
    return needed + _TILES_MB * 2**20


class Budget(NamedTuple):
    """The function's memory in MB (2²⁰ bytes), the process itself included."""

    memory_mb: int

    def finest_reduction(self, mode: Refine, photo_pixels: int, band_pixels: int) -> int:
        """Return how many times smaller than the photo the finest copy must be: 1, 2 or 4.

        `band_pixels` counts the photo's pixels in tiles that the edge band reaches. The result is 4
        even if that does not fit.
        """
        for reduction in RESOLUTIONS:
            needed = photo_pixels * (_PHOTO_BYTES + _COPY_BYTES / reduction**2) / 2**20
            fits = _PROCESS_MB + _TILES_MB + needed <= self.memory_mb
            if fits and band_pixels / reduction**2 <= _MOST_BAND_PIXELS[mode]:
                return reduction
        return max(RESOLUTIONS)
