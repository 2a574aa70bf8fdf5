"""GIF: read the colour profile, which Pillow skips."""

from __future__ import annotations

from typing import Final

from PIL import Image

from pipeline.photo.colour.meaning import Meaning
from pipeline.photo.limits import MAX_PROFILE_BYTES, counted, require_profile_bytes

_SCREEN: Final = 13  # bytes of header and screen
_HAS_PALETTE: Final = 0x80
_EXTENSION: Final = b"!"
_APPLICATION: Final = 0xFF
_PROFILE: Final = b"ICCRGBG1012"  # the application extension that holds an ICC profile


def read_meaning(_image: Image.Image, content: bytes) -> Meaning:
    """Return the profile of the application extension `ICCRGBG1`, if the first frame has one.

    Raises MediaTooLarge for one above the limit.
    """
    flags = content[10]
    at = _SCREEN + (3 << (flags & 7) + 1 if flags & _HAS_PALETTE else 0)
    for _ in counted("GIF extensions"):
        if content[at : at + 1] != _EXTENSION or at + 2 >= len(content):
            return Meaning()
        kind, blocks, at = content[at + 1], *_blocks(content, at + 2)
        if kind == _APPLICATION and blocks[:1] == [_PROFILE]:
            profile = b"".join(blocks[1:])
            require_profile_bytes(len(profile), "GIF")
            return Meaning((profile,))
    return Meaning()


def _blocks(content: bytes, at: int) -> tuple[list[bytes], int]:
    """Return an extension's blocks, as far as a profile may reach, and the offset behind them."""
    blocks, kept = [], 0
    while at < len(content) and content[at]:
        end = at + 1 + content[at]
        if kept <= MAX_PROFILE_BYTES + len(_PROFILE):
            blocks.append(content[at + 1 : end])
            kept += content[at]
        at = end
    return blocks, at + 1
