"""How much memory a photo takes on its way from the mask to finished pictures."""

from __future__ import annotations

from typing import Final

from pipeline.contracts.contract import SourcePhoto

# Measured, rounded up: the photo, its matte, the cut-out, and what is at hand to make and write it.
_BYTES_PER_PIXEL: Final = 38
_STRIPS: Final = 96 * 2**20


def refining_bytes(source: SourcePhoto) -> int:
    """The bytes that refining and writing a photo take at most, known before it is decoded."""
    return source.width * source.height * _BYTES_PER_PIXEL + _STRIPS
