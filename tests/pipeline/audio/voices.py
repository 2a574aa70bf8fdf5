"""A voice that says vowels: drawn, and taken for speech by networks that find it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.audio.samples import Samples

Sound = tuple[str, float]  # what is said, and for how many seconds

RATE: Final = 16_000
# The resonances of a mouth, in hertz: G. E. Peterson and H. L. Barney, 1952.
_FORMANTS: Final = {
    "a": (730, 1090, 2440), "e": (530, 1840, 2480), "i": (270, 2290, 3010),
    "o": (570, 840, 2410), "u": (300, 870, 2240),
}  # fmt: skip
_WIDTHS: Final = (80, 90, 120)  # hertz
WORD: Final[tuple[Sound, ...]] = (
    ("a", 0.18), ("s", 0.08), ("i", 0.15), (" ", 0.04), ("o", 0.2), ("s", 0.06), ("e", 0.16),
    (" ", 0.06), ("u", 0.18), ("a", 0.2),
)  # fmt: skip


def spoken(sounds: Iterable[Sound]) -> Samples:
    """Return vowels, `s` and silence (a space) one after the other, (n, 1) at `RATE`."""
    drawn = np.random.default_rng(7)
    parts = [_part(name, round(seconds * RATE), drawn) for name, seconds in sounds]
    return np.concatenate(parts).astype(np.float32)[:, None]


def _part(name: str, count: int, drawn: np.random.Generator) -> npt.NDArray[np.float64]:
    if name == " ":
        return np.zeros(count)
    if name == "s":
        return drawn.standard_normal(count) * 0.05 * np.hanning(count)
    time = np.arange(count) / RATE
    pitch = 120 + 15 * np.sin(6 * np.pi * time) - 10 * time
    pulses = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0)
    wave = pulses + drawn.standard_normal(count) * 0.01
    for formant, width in zip(_FORMANTS[name], _WIDTHS, strict=True):
        wave = _resonated(wave, formant, width)
    place = np.arange(count)
    envelope = np.minimum(1, np.minimum(place, place[::-1]) / (0.03 * RATE))
    return np.asarray(wave / np.abs(wave).max() * 0.4 * envelope)


def _resonated(
    wave: npt.NDArray[np.float64], formant: float, width: float
) -> npt.NDArray[np.float64]:
    radius = np.exp(-np.pi * width / RATE)
    turn = 2 * radius * np.cos(2 * np.pi * formant / RATE)
    result = [0.0, 0.0]
    for value in wave:
        result.append(value * (1 - radius) + turn * result[-1] - radius**2 * result[-2])
    return np.array(result[2:])
