"""How finely a photo can be worked on within the memory and the time there is."""

from __future__ import annotations

from typing import Final, NamedTuple

from pipeline.contracts.cutout import Refine, Resolution

RESOLUTIONS: Final[dict[int, Resolution]] = {1: "full", 2: "half", 4: "quarter"}

# Bytes for each pixel of the photo: itself, its matte, the finished picture and its encoding.
_KEPT_BYTES: Final = 20
# Bytes for each pixel of the finest copy: its colours and its matte before a round, with those of
# the round before while it is made.
_WORKING_BYTES: Final = 20
_FIXED_MB: Final = 250  # Python, its libraries, and a tile for each processor
# Pixels of the finest copy in tiles that hold the edge band: what is done there takes time.
_MOST: Final[dict[Refine, int]] = {"fast": 12_000_000, "auto": 1_500_000, "matting": 3_000_000}


class Budget(NamedTuple):
    """Memory in MB, all that the process may take."""

    memory_mb: int

    def finest(self, mode: Refine, photo_pixels: int, band_pixels: int) -> int:
        """Of 1, 2 and 4, how many times smaller the finest copy has to be.

        `band_pixels` are those of the tiles that hold the edge band. Quarter resolution takes a
        sixteenth of the memory that full resolution takes, and is the last resort.
        """
        for reduction in RESOLUTIONS:
            needed = photo_pixels * (_KEPT_BYTES + _WORKING_BYTES / reduction**2) / 2**20
            fits = _FIXED_MB + needed <= self.memory_mb
            if fits and band_pixels / reduction**2 <= _MOST[mode]:
                return reduction
        return max(RESOLUTIONS)
