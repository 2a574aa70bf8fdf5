"""What a file states about its numbers, in whichever of its format's ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PIL import Image

from pipeline.photo.colour.spaces import ColourSpace

Statement = bytes | ColourSpace  # an ICC profile, or a colour space that the file states otherwise


class Meaning(NamedTuple):
    """What a file states about its numbers.

    `colours` has its statements about colour; the first that fits the pixels counts. `white` is the
    brightest level of grey of more than 8 bits; `inverted` grey of more than 8 bits has its white
    at 0. `key` is the 16-bit colour that is transparent, and `low_bytes` returns an RGB picture of
    the lower halves of the 16-bit numbers, whose upper halves were decoded.
    """

    colours: tuple[Statement, ...] = ()
    white: int = 0xFFFF
    inverted: bool = False
    key: tuple[int, ...] | None = None
    low_bytes: Callable[[], Image.Image] | None = None
