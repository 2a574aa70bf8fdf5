"""What a codec's header states of a picture, whatever the boxes around it state."""

from __future__ import annotations

from typing import NamedTuple


class Coding(NamedTuple):
    """A coded picture's size in pixels, bits of a sample, and kind.

    `transfer` is the code point of its transfer function, if the codec's header has one.
    """

    width: int
    height: int
    bits: int
    grey: bool
    transfer: int | None = None
