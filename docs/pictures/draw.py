"""Draws the photo of the README's first picture and has the pipeline cut it out.

    python docs/pictures/draw.py

The model is the tests' own (white is subject), its mask 64 × 64 pixels: everything finer than that
is the edge refiner's work.
"""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.models import stock

SIZE = 900
SHARPER = 3
HERE = Path(__file__).parent


def fluff() -> Image.Image:
    """A ball of down against a dim garden, drawn large and scaled down."""
    side = SIZE * SHARPER
    dice = random.Random(4)
    picture = _garden(side, dice)
    pen = ImageDraw.Draw(picture)
    centre = (side * 0.5, side * 0.5)
    pen.ellipse(_around(centre, side * 0.27), fill=(255, 246, 226))
    for _ in range(9000):
        _hair(pen, dice, centre, side)
    return picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def _garden(side: int, dice: random.Random) -> Image.Image:
    """Dark greens and blues, well out of focus."""
    small = Image.new("RGB", (side // 6, side // 6), (2, 7, 8))
    pen = ImageDraw.Draw(small)
    for _ in range(26):
        spot = (dice.uniform(0, small.width), dice.uniform(0, small.height))
        shade = (dice.randint(0, 4), dice.randint(6, 14), dice.randint(6, 15))
        pen.ellipse(_around(spot, dice.uniform(10, 55)), fill=shade)
    return small.filter(ImageFilter.GaussianBlur(16)).resize((side, side))


def _hair(
    pen: ImageDraw.ImageDraw, dice: random.Random, centre: tuple[float, float], side: int
) -> None:
    """One curved hair, rooted somewhere in the ball; outer ones reach into the garden."""
    angle, depth = dice.uniform(0, 2 * math.pi), math.sqrt(dice.random())
    root = side * 0.27 * depth
    length, bend = side * dice.uniform(0.03, 0.10), dice.uniform(-0.9, 0.9)
    points = [
        (
            centre[0] + (root + length * part) * math.cos(angle + bend * part * length / side * 3),
            centre[1] + (root + length * part) * math.sin(angle + bend * part * length / side * 3),
        )
        for part in (0, 0.25, 0.5, 0.75, 1)
    ]
    warmth = dice.randint(0, 34)
    pen.line(points, fill=(255, 252 - warmth // 2, 240 - warmth), width=SHARPER - 1, joint="curve")


def _around(centre: tuple[float, float], radius: float) -> list[float]:
    x, y = centre
    return [x - radius, y - radius, x + radius, y + radius]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shelf = stock(folder / "shelf")
        fluff().save(folder / "fluff.png")
        subprocess.run(
            [
                sys.executable, "-m", "pipeline", "run", str(folder / "fluff.png"),
                "-o", str(folder / "out"), "--model", "brightness", "--background", "#d9480f",
                "--mirror", shelf.mirror, "--catalogue", str(shelf.catalogue),
            ],
            check=True,
            env=os.environ | {"XDG_CACHE_HOME": str(folder / "cache")},
        )  # fmt: skip
        sheet = Image.open(folder / "out" / "contact-sheet.png")
        sheet.quantize(255, dither=Image.Dither.NONE).save(HERE / "before-after.png", optimize=True)


if __name__ == "__main__":
    main()
