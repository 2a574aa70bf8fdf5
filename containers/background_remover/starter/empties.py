"""Draw scenes without a subject, unlike those in training. H×W×3 uint8."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Scene = npt.NDArray[np.uint8]
Tones = npt.NDArray[np.floating[Any]]
Dice = np.random.Generator

_SEED: Final = 7
_HEIGHT, _WIDTH = 480, 640


def empty_scenes(of_each: int) -> Iterator[tuple[str, Scene]]:
    """Return (kind, scene) pairs, `of_each` of every kind, the same in every run."""
    for kind, draw in _KINDS.items():
        dice = np.random.default_rng((_SEED, len(kind), ord(kind[0])))
        for _ in range(of_each):
            scene = np.clip(draw(dice), 0, 255)
            yield kind, np.ascontiguousarray(scene.astype(np.uint8))


def _gradient(dice: Dice) -> Tones:
    """Blend four corner colours."""
    corners = np.clip(dice.normal(dice.uniform(40, 215), 45, (2, 2, 3)), 0, 255).astype(np.uint8)
    blend = Image.fromarray(corners).resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC)
    return np.asarray(blend, np.float64) + dice.normal(0, 2, (_HEIGHT, _WIDTH, 1))


def _sky(dice: Dice) -> Tones:
    """Draw blue, grey or evening light from top to bottom, with clouds of smoothed noise."""
    zenith = np.array(_SKIES[dice.integers(len(_SKIES))], np.float64)
    horizon = zenith + (255 - zenith) * dice.uniform(0.4, 0.85)
    down = np.linspace(0, 1, _HEIGHT)[:, None, None] ** dice.uniform(0.7, 1.6)
    clear = np.broadcast_to(zenith + (horizon - zenith) * down, (_HEIGHT, _WIDTH, 3))
    clouds = np.clip(_smooth(dice, 8, 5) + 0.6 * _smooth(dice, 30, 18) - 0.4, 0, 1)
    return clear + (250 - clear) * clouds[..., None] * dice.uniform(0, 0.9)


def _weave(dice: Dice) -> Tones:
    """Draw cloth: two sets of threads of uneven tone."""
    down, right = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    period = dice.uniform(5, 22)
    threads: Tones = np.sin(right * 2 * np.pi / period) * np.sin(down * 2 * np.pi / period)
    folds = 30 * (_smooth(dice, 5, 4) - 0.5)
    return _colour(dice) + (25 * threads + folds + dice.normal(0, 6, threads.shape))[..., None]


def _bricks(dice: Dice) -> Tones:
    """Draw courses of bricks or tiles, each of its own tone, with joints between."""
    high, wide = int(dice.integers(22, 70)), int(dice.integers(50, 130))
    down, right = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    course = down // high
    across = right + (course % 2) * (wide // 2) * int(dice.integers(0, 2))
    tones = dice.normal(0, 12, (_HEIGHT // high + 2, (_WIDTH * 2) // wide + 2))
    wall: Tones = _colour(dice) + tones[course, across // wide][..., None]
    joint = (down % high < 3) | (across % wide < 3)
    wall[joint] = wall.mean() + dice.uniform(-50, 50)
    return wall + dice.normal(0, 7, (_HEIGHT, _WIDTH, 1))


def _gravel(dice: Dice) -> Tones:
    """Draw gravel: sharpened noise at two scales."""
    grain = 90 * (_smooth(dice, 90, 60) + 0.7 * _smooth(dice, 200, 150) - 0.85)
    return _colour(dice) + (grain + dice.normal(0, 8, grain.shape))[..., None]


def _planks(dice: Dice) -> Tones:
    """Draw boards with grain along them, upright or horizontal."""
    width = int(dice.integers(40, 120))
    across = np.arange(_WIDTH)
    tones = dice.normal(0, 14, _WIDTH // width + 1)[across // width]
    grain = _smooth(dice, 3, 160) * dice.uniform(20, 60)
    boards = _colour(dice) + (tones[None] + grain)[..., None]
    boards[:, across % width < 2] *= 0.6
    return boards + dice.normal(0, 4, (_HEIGHT, _WIDTH, 1))


def _smooth(dice: Dice, rows: int, columns: int) -> Tones:
    """Draw noise of `rows` × `columns` cells, enlarged to the scene; 0…1."""
    cells = Image.fromarray(dice.integers(0, 256, (rows, columns), np.uint8).astype(np.uint8))
    enlarged = cells.resize((_WIDTH, _HEIGHT), Image.Resampling.BICUBIC)
    return np.asarray(enlarged.filter(ImageFilter.GaussianBlur(1)), np.float64) / 255


def _colour(dice: Dice) -> Tones:
    colour: Tones = np.clip(dice.uniform(50, 200) + dice.normal(0, 30, 3), 15, 240)
    return colour


_SKIES: Final = ((70, 130, 210), (120, 160, 205), (150, 155, 165), (190, 130, 110), (35, 55, 110))
_KINDS: Final[dict[str, Callable[[Dice], Tones]]] = {
    "gradient": _gradient,
    "sky": _sky,
    "weave": _weave,
    "bricks": _bricks,
    "gravel": _gravel,
    "planks": _planks,
}
