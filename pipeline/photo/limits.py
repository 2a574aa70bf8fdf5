"""Limits on what a photo file may contain: above anything a camera or an editor writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.errors import MediaTooLarge

MAX_BYTES: Final = 100 * 2**20
MAX_PIXELS: Final = 100_000_000
MAX_SIDE: Final = 65_535  # the most that a JPEG header can state
MAX_PARTS: Final = 100_000  # a PNG of 100 MiB in chunks of 1 KiB
MAX_SCANS: Final = 100  # a camera's progressive JPEG has about ten; each costs a pass
MAX_EXIF_BYTES: Final = 2**20
MAX_PROFILE_BYTES: Final = 2**20
MAX_TIFF_TAGS: Final = 2**16
MAX_STRIPS: Final = 2**20
MAX_TILES: Final = 4096  # a phone's 50 megapixels have about 200


def require_bytes(count: int) -> None:
    """Raise MediaTooLarge if a file of `count` bytes is above the limit."""
    if count > MAX_BYTES:
        raise MediaTooLarge(f"file of {count:,} bytes; the limit is {MAX_BYTES:,}")


def require_size(width: int, height: int, *, part: str = "photo") -> None:
    """Raise MediaTooLarge if a photo, or a part of its file, has too many pixels to decode."""
    if width * height > MAX_PIXELS:
        raise MediaTooLarge(
            f"{part} of {width} × {height} pixels; the limit is {MAX_PIXELS:,} in total"
        )
    if max(width, height) > MAX_SIDE:
        raise MediaTooLarge(
            f"{part} of {width} × {height} pixels; the limit is {MAX_SIDE:,} on a side"
        )


def require_profile_bytes(count: int, name: str) -> None:
    """Raise MediaTooLarge if the colour profile of a format called `name` is above the limit."""
    if count > MAX_PROFILE_BYTES:
        raise MediaTooLarge(f"{name} colour profile of more than {MAX_PROFILE_BYTES:,} bytes")


def counted(parts: str) -> Iterator[int]:
    """Count from 0; raise MediaTooLarge after `MAX_PARTS` `parts` (a name in the plural)."""
    yield from range(MAX_PARTS)
    raise MediaTooLarge(f"more than {MAX_PARTS:,} {parts}")
