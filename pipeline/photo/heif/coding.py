"""What a codec's header states of a picture, whatever the boxes around it state."""

from __future__ import annotations

from typing import NamedTuple


class Coding(NamedTuple):
    """A coded picture's size in pixels, bits of a sample, and kind.

    `primaries` and `transfer` are code points of ITU-T H.273, if the codec's header has them.
    """

    width: int
    height: int
    bits: int
    grey: bool
    primaries: int | None = None
    transfer: int | None = None
