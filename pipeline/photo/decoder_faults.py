"""What Pillow's decoders raise for damaged files, and the named errors for it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import UnidentifiedImageError

from pipeline.errors import CorruptMedia, OutOfMemory, UnsupportedMedia

DECODE_FAULTS: Final = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, IndexError, KeyError, OverflowError,
    AttributeError, struct.error, zlib.error,
)  # fmt: skip
_ALLOCATION_FAILURES: Final = (
    "out of memory", "Out of memory", "Memory allocation error", "decoder error -9",
)  # fmt: skip


@contextmanager
def named_faults(name: str) -> Iterator[None]:
    """Raise UnsupportedMedia, CorruptMedia or OutOfMemory for what a format's decoder raises."""
    try:
        yield
    except UnidentifiedImageError as fault:
        if name == "TIFF":
            raise UnsupportedMedia(
                "unsupported TIFF pixel format, such as 32-bit RGB, or damaged TIFF header"
            ) from fault
        raise CorruptMedia(f"damaged {name}: the header cannot be read") from fault
    except DECODE_FAULTS as fault:
        if any(sign in str(fault) for sign in _ALLOCATION_FAILURES):
            raise OutOfMemory(f"no memory left to decode the {name}: {fault}") from fault
        raise CorruptMedia(f"damaged {name}: {fault}") from fault
