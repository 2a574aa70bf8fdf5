"""What is cut out: hair, fur, mesh, glass and hard edges; every seed is another of its kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from tests.bench.edges.drawing import Colour, Easel, Layer, Points, around, mottled, shade

WIDTH: Final = 1200
HEIGHT: Final = 900
COATS: Final[tuple[Colour, ...]] = (
    (70, 46, 30), (196, 160, 104), (30, 28, 32), (150, 72, 40), (222, 216, 205), (96, 90, 86),
)  # fmt: skip
PAINTS: Final[tuple[Colour, ...]] = (
    (176, 40, 44), (40, 92, 150), (226, 188, 60), (62, 120, 72), (120, 116, 110), (236, 232, 224),
)  # fmt: skip

Draw = Callable[[int], Layer]


def hair(seed: int) -> Layer:
    """A head whose long strands stand out and cross one another."""
    easel = Easel(WIDTH, HEIGHT, seed=seed)
    colour = COATS[seed % len(COATS)]
    x, y, radius = WIDTH * 0.5, HEIGHT * 0.56, HEIGHT * 0.25
    easel.polygon(around(x, y, lambda a: radius * (1 + 0.06 * math.sin(3 * a + seed))), colour)
    for _ in range(1500):
        _strand(easel, (x, y), radius * 0.9, shade(colour, easel.dice, 0.22), reach=(0.1, 0.95))
    return easel.layer(texture=mottled(WIDTH, HEIGHT, cell=60, strength=0.12, seed=seed))


def fur(seed: int) -> Layer:
    """A body under a dense coat of short hairs."""
    easel = Easel(WIDTH, HEIGHT, seed=seed)
    colour = COATS[(seed + 1) % len(COATS)]
    x, y, radius = WIDTH * 0.5, HEIGHT * 0.5, HEIGHT * 0.3

    def outline(a: float) -> float:
        return radius * (1 + 0.16 * math.sin(2 * a + seed) + 0.07 * math.cos(5 * a))

    easel.polygon(around(x, y, outline), colour)
    for _ in range(9000):
        angle = easel.dice.uniform(0, 2 * math.pi)
        root = outline(angle) * easel.dice.uniform(0.85, 1.0)
        start = (x + root * math.cos(angle), y + root * math.sin(angle))
        lean, length = angle + easel.dice.normal(0.3, 0.35), easel.dice.gamma(4, 7)
        end = (start[0] + length * math.cos(lean), start[1] + length * math.sin(lean))
        easel.line([start, end], shade(colour, easel.dice, 0.2), easel.dice.uniform(0.8, 2.0))
    return easel.layer(texture=mottled(WIDTH, HEIGHT, cell=24, strength=0.2, seed=seed))


def mesh(seed: int) -> Layer:
    """A frame with a net in it."""
    easel = Easel(WIDTH, HEIGHT, seed=seed)
    colour = PAINTS[seed % len(PAINTS)]
    x, y, radius = WIDTH * 0.5, HEIGHT * 0.5, HEIGHT * 0.38
    gap, width = 34 + 9 * (seed % 3), 2.5 + seed % 2
    for step in range(-20, 21):
        place = step * gap
        half = math.sqrt(max(radius * radius - place * place, 0))
        if half:
            sag = easel.dice.normal(0, 3)
            easel.line([(x + place, y - half), (x + place + sag, y + half)], colour, width)
            easel.line([(x - half, y + place), (x + half, y + place + sag)], colour, width)
    rim = around(x, y, lambda _: radius)
    easel.line([*rim, rim[0]], shade(colour, easel.dice, 0.2), 16)
    return easel.layer(texture=mottled(WIDTH, HEIGHT, cell=40, strength=0.1, seed=seed))


def glass(seed: int) -> Layer:
    """A vessel that is seen through, with a solid foot and a bright rim."""
    easel = Easel(WIDTH, HEIGHT, seed=seed)
    tint = (198 + seed % 3 * 18, 214, 224 - seed % 4 * 16)
    x, top, bottom = WIDTH * 0.5, HEIGHT * 0.14, HEIGHT * 0.82
    wide, narrow = 190.0 + seed % 3 * 30, 70.0 + seed % 2 * 60
    side = [(x + wide, top), (x + wide * 0.95, HEIGHT * 0.45), (x + narrow, bottom)]
    walls = [*side, *[(2 * x - across, down) for across, down in reversed(side)]]
    easel.polygon(walls, tint, opacity=0.35 + 0.08 * (seed % 3))
    for edge in (side, [(2 * x - across, down) for across, down in side]):
        easel.line(edge, (240, 244, 248), 7, opacity=0.8)
    easel.polygon(around(x, bottom, lambda a: narrow * 1.6 / (1 + 3 * abs(math.sin(a)))), tint)
    return easel.layer(texture=mottled(WIDTH, HEIGHT, cell=90, strength=0.06, seed=seed))


def plain(seed: int) -> Layer:
    """Hard edges around even colours: a toothed or cornered shape with a hole."""
    easel = Easel(WIDTH, HEIGHT, seed=seed)
    _solid(easel, seed, PAINTS[seed % len(PAINTS)])
    return easel.layer(
        texture=mottled(WIDTH, HEIGHT, cell=150, strength=0.06, seed=seed), lens_blur=0.6
    )


def patterned(seed: int) -> Layer:
    """Hard edges around a strong pattern: cloth, stone, a printed box."""
    easel = Easel(WIDTH, HEIGHT, seed=seed)
    _solid(easel, seed, PAINTS[(seed + 4) % len(PAINTS)])
    cell = (7, 14, 30)[seed % 3]
    return easel.layer(
        texture=mottled(WIDTH, HEIGHT, cell=cell, strength=0.4, seed=seed), lens_blur=0.6
    )


def disguised(seed: int) -> Layer:
    """Hard edges in no colours of its own: `scenes` fills it with the photo it is put before."""
    easel = Easel(WIDTH, HEIGHT, seed=seed)
    _solid(easel, seed, (255, 255, 255))
    return easel.layer(lens_blur=0.6)


def _solid(easel: Easel, seed: int, colour: Colour) -> None:
    x, y, radius = WIDTH * 0.5, HEIGHT * 0.5, HEIGHT * 0.33
    corners = 4 + seed % 5
    if seed % 2:
        easel.polygon(
            around(x, y, lambda a: radius * (1 + 0.12 * np.sign(math.sin(corners * 2 * a)))), colour
        )
    else:
        easel.polygon(around(x, y, lambda _: radius * 1.1, points=corners), colour)
    easel.hole(around(x + 20, y, lambda _: radius * 0.3, points=corners + 1))


def _strand(
    easel: Easel,
    centre: tuple[float, float],
    root: float,
    colour: Colour,
    *,
    reach: tuple[float, float],
) -> None:
    """One curved hair, thinner towards its tip."""
    dice = easel.dice
    angle = dice.uniform(0, 2 * math.pi)
    length, bend = root * dice.uniform(*reach), dice.normal(0, 0.7)
    width = dice.uniform(0.8, 2.6)
    points: Points = []
    for part in np.linspace(0, 1, 9):
        turned = angle + bend * part * part
        distance = root * 0.9 + length * part
        across, down = distance * math.cos(turned), distance * math.sin(turned)
        points.append((centre[0] + across, centre[1] + down))
    easel.line(points[:6], colour, width)
    easel.line(points[5:], colour, width * 0.6)


SUBJECTS: Final[dict[str, Draw]] = {
    "hair": hair, "fur": fur, "mesh": mesh, "glass": glass,
    "plain": plain, "patterned": patterned, "disguised": disguised,
}  # fmt: skip
HARD: Final = ("plain", "patterned", "disguised")
