"""Cut out subjects of photos, or draw random shapes, to place in a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from containers.background_remover.starter.damage import relit
from containers.background_remover.starter.grounds import Dice, Picture, Plane, clouds
from containers.background_remover.starter.library import Subject

_BILINEAR: Final = Image.Resampling.BILINEAR
_OPAQUE: Final = 255


@dataclass(frozen=True, eq=False)
class Cut:
    """H×W×3 colours and H×W alpha, 0…1; a `bust` has no lower end."""

    colours: Picture
    alpha: Plane
    bust: bool = False


def cut_out(dice: Dice, subject: Subject, longest: float, stretch: float) -> Cut:
    """Return a cut-out subject of about `longest` pixels, slightly turned, with a softened edge."""
    left, top, right, bottom = subject.box
    width, height = (right - left) * stretch, (bottom - top) / stretch
    scale = longest / max(width, height)
    size = (max(4, round(width * scale)), max(4, round(height * scale)))
    photo = subject.photo.resize(size, _BILINEAR, box=subject.box)
    alpha = subject.mask.resize(size, _BILINEAR, box=subject.box)
    if dice.random() < 0.35 and not subject.bust:
        angle = dice.normal(0, 18)
        alpha = alpha.rotate(angle, _BILINEAR, expand=True)
        photo = photo.rotate(angle, _BILINEAR, expand=True)
    if dice.random() < 0.4:
        alpha = alpha.filter(ImageFilter.GaussianBlur(dice.uniform(0.3, 1.2)))
    sprite: Picture = np.asarray(photo, np.float32) / 255
    if dice.random() < 0.5:
        sprite = relit(dice, sprite)
    if dice.random() < 0.5:
        sprite, alpha = sprite[:, ::-1], alpha.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return Cut(sprite, np.asarray(alpha, np.float32) / 255, subject.bust)


def outline(dice: Dice, side: int) -> Plane:
    """Draw the soft-edged alpha of a ring, rods, a polygon or a blob."""
    drawing = _blob(dice, side) if dice.random() < 0.25 else _lines(dice, side)
    return np.asarray(drawing.filter(ImageFilter.GaussianBlur(0.6)), np.float32) / 255


def _lines(dice: Dice, side: int) -> Image.Image:
    drawing = Image.new("L", (side, side))
    pen, stroke = ImageDraw.Draw(drawing), max(1, round(side * dice.uniform(0.02, 0.12)))
    points = [tuple(point) for point in dice.uniform(0.05, 0.95, (6, 2)) * side]
    match dice.integers(3):
        case 0:
            inset = stroke + 1
            pen.ellipse((inset, inset, side - inset, side - inset), outline=_OPAQUE, width=stroke)
            pen.line(points[:3], fill=_OPAQUE, width=stroke)
        case 1:
            pen.line(points, fill=_OPAQUE, width=stroke, joint="curve")
        case _:
            pen.polygon(points[: int(dice.integers(3, 6))], fill=_OPAQUE)
    return drawing


def _blob(dice: Dice, side: int) -> Image.Image:
    noise = clouds(dice, side, finest=max(2, side // 5))
    rim = 1 - np.hypot(*np.meshgrid(*[np.linspace(-1, 1, side)] * 2))
    return Image.fromarray(((noise + rim > 0.75) * _OPAQUE).astype(np.uint8))
