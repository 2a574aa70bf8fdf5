"""The photo of every smoke test: a terracotta oval before a pale wall, and its coarse mask."""

from __future__ import annotations

from typing import Final

from pipeline.functions.smoke_hook.png import Picture, encode

SIDE: Final = 320
MASK_SIDE: Final = 80
WALL: Final = (214, 220, 226)
TERRACOTTA: Final = (176, 74, 40)
# Of the side: left, top, right, bottom.
OVAL: Final = (0.344, 0.1875, 0.656, 0.8125)


def photo() -> bytes:
    """SIDE × SIDE, RGB."""
    return encode(_drawn(SIDE, TERRACOTTA, WALL))


def mask() -> bytes:
    """MASK_SIDE × MASK_SIDE, grey: 255 where the oval is."""
    return encode(_drawn(MASK_SIDE, (255,), (0,)))


def _drawn(side: int, inside: tuple[int, ...], outside: tuple[int, ...]) -> Picture:
    samples = bytearray()
    for row in range(side):
        for column in range(side):
            samples += bytes(inside if _in_oval(column / side, row / side) else outside)
    return Picture(side, side, len(inside), bytes(samples))


def _in_oval(x: float, y: float) -> bool:
    left, top, right, bottom = OVAL
    across = (x - (left + right) / 2) / ((right - left) / 2)
    down = (y - (top + bottom) / 2) / ((bottom - top) / 2)
    return across**2 + down**2 <= 1
