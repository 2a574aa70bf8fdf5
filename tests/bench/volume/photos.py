"""Small photos that the starter cuts out, each with other bytes, and dropped one by one."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from PIL import Image

from pipeline.cli.runs import sample_photos
from pipeline.local.deployment import NAMES

INGEST: Final = NAMES.bucket("ingest")
_SIDE: Final = 96  # pixels
_MEAN_PAUSE_S: Final = 2.0


def small_photo(number: int) -> bytes:
    """Return a sample photo with the bits of `number` in its first row, as PNG."""
    with Image.open(sample_photos()[0]) as sample:
        pixels = np.asarray(sample.convert("RGB").resize((_SIDE, _SIDE))).copy()
    bits = [255 * (number >> place & 1) for place in range(32)]
    pixels[0, :32, 0] = bits
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def drop(s3: Any, prefix: str, numbers: range, *, go_on: Callable[[], bool]) -> dict[str, float]:
    """Drop photos at random times while `go_on` says so. Return when each key was dropped."""
    dropped = {}
    pauses = random.Random(0)  # noqa: S311 - no secret
    for number in numbers:
        if not go_on():
            break
        key = f"{prefix}{number}.png"
        dropped[key] = time.time()
        s3.put_object(Bucket=INGEST, Key=key, Body=small_photo(number))
        time.sleep(pauses.expovariate(1 / _MEAN_PAUSE_S))
    return dropped
