"""How much a photo may be made of: more than any camera or editor writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.errors import MediaTooLarge

MAX_BYTES: Final = 100 * 2**20
MAX_PIXELS: Final = 100_000_000
MAX_SIDE: Final = 65_535  # what a JPEG can say
MOST_PARTS: Final = 100_000  # a PNG of 100 MiB in pieces of 1 KiB
MOST_SCANS: Final = 100  # a camera's progressive JPEG has about ten; each costs a pass
MOST_EXIF_BYTES: Final = 2**20
MOST_PROFILE_BYTES: Final = 2**20
MOST_TIFF_TAGS: Final = 2**16
MOST_STRIPS: Final = 2**20


def require_bytes(count: int) -> None:
    """MediaTooLarge if a file of this length is not opened."""
    if count > MAX_BYTES:
        raise MediaTooLarge(f"{count:,} bytes; the limit is {MAX_BYTES:,}")


def require_size(width: int, height: int) -> None:
    """MediaTooLarge if a picture of this size is not decoded."""
    if width * height > MAX_PIXELS:
        raise MediaTooLarge(f"{width} × {height} pixels; the limit is {MAX_PIXELS:,} in all")
    if max(width, height) > MAX_SIDE:
        raise MediaTooLarge(f"{width} × {height} pixels; the limit is {MAX_SIDE:,} on a side")


def counted(parts: str) -> Iterator[int]:
    """Count as far as `MOST_PARTS`, then raise MediaTooLarge."""
    yield from range(MOST_PARTS)
    raise MediaTooLarge(f"it is cut into more than {MOST_PARTS:,} {parts}")
