"""Draw random training examples: real photos, composites, and scenes without a subject."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from containers.background_remover.starter.cuts import Cut, cut_out, outline
from containers.background_remover.starter.damage import damaged
from containers.background_remover.starter.grounds import (
    Dice,
    Picture,
    Plane,
    drawn_ground,
    photo_ground,
    tiled_ground,
)
from containers.background_remover.starter.library import Library, Shelf, Subject

PAIRS, EMPTY = 0.29, 0.17  # shares of all examples; the rest are composites
_BILINEAR: Final = Image.Resampling.BILINEAR
_OPAQUE: Final = 255


@dataclass(frozen=True, eq=False)
class Example:
    """An S×S×3 uint8 photo and its S×S uint8 mask."""

    photo: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]


def draw_example(dice: Dice, library: Library, size: int) -> Example:
    """Draw one example of `size`² pixels."""
    kind = dice.random()
    if kind < PAIRS:
        picture, mask = photographed(dice, library.of_kind("pairs"), size)
    elif kind < PAIRS + EMPTY:
        picture, mask = ground(dice, library.empty_scenes, size), np.zeros((size, size), np.float32)
    else:
        picture, mask = composed(dice, library, size)
    if dice.random() < 0.5:
        picture, mask = picture[:, ::-1], mask[:, ::-1]
    return Example(
        np.asarray(damaged(dice, picture)), (np.clip(mask, 0, 1) * 255 + 0.5).astype(np.uint8)
    )


def photographed(dice: Dice, shelves: Sequence[Shelf], size: int) -> tuple[Picture, Plane]:
    """Crop a real photo, keeping at least half of its subject, and stretch it to a square."""
    subject = _reach(dice, shelves)
    whole = (0.0, 0.0, float(subject.photo.width), float(subject.photo.height))
    box = whole
    if dice.random() < 0.8:
        box = _crop(dice, subject)
    photo = subject.photo.resize((size, size), _BILINEAR, box=box)
    mask = subject.mask.resize((size, size), _BILINEAR, box=box)
    return np.asarray(photo, np.float32) / 255, np.asarray(mask, np.float32) / 255


def composed(dice: Dice, library: Library, size: int) -> tuple[Picture, Plane]:
    """Place one to five subjects on a background they were not photographed on."""
    picture = ground(dice, library.of_kind("backgrounds"), size)
    mask = np.zeros((size, size), np.float32)
    crowd = int(dice.choice([1, 2, 3, 5], p=[0.62, 0.2, 0.1, 0.08]))
    shelves = library.of_kind("sprites", "pairs")
    kin = (_shelf(dice, shelves),) if dice.random() < 0.7 else shelves
    largest = math.exp(dice.uniform(math.log(0.4), math.log(1.6))) / crowd**0.4
    stretch = math.exp(dice.normal(0, 0.2))  # photos are squeezed into a square
    for nth in range(crowd):
        if dice.random() < 0.07:
            side = max(12, round(size * dice.uniform(0.25, 0.9)))
            cut = Cut(ground(dice, library.of_kind("backgrounds"), side), outline(dice, side))
        else:
            subject = _reach(dice, kin)
            share = max(largest, 0.75 / crowd**0.4) if subject.bust else largest
            longest = size * share * dice.uniform(0.8, 1.1)
            cut = cut_out(dice, subject, longest, stretch)
        across = (nth + 0.5) / crowd + dice.normal(0, 0.12 / crowd**0.5)
        picture, mask = _placed(dice, picture, mask, cut, across)
    return picture, mask


def ground(dice: Dice, shelves: Sequence[Shelf], size: int) -> Picture:
    """Draw a background: mostly a photo, else a texture made from one, or a drawing."""
    kind = dice.random()
    if kind < 0.52:
        return photo_ground(dice, shelves, size)
    return tiled_ground(dice, shelves, size) if kind < 0.68 else drawn_ground(dice, size)


def _placed(
    dice: Dice, picture: Picture, mask: Plane, cut: Cut, across: float
) -> tuple[Picture, Plane]:
    """Place the cut on the image, its middle `across` (0…1) of the width, ends often outside."""
    size, (height, width) = mask.shape[0], cut.alpha.shape
    left = round(across * size - width / 2)
    standing = cut.bust or (dice.random() < 0.35 and height > 0.5 * size)
    middle = dice.normal(0.52, 0.14) * size
    top = size - round(height * dice.uniform(0.6, 1)) if standing else round(middle - height / 2)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(size, left + width), min(size, top + height)
    if x1 - x0 < 3 or y1 - y0 < 3:
        return picture, mask
    over = np.zeros_like(mask)
    over[y0:y1, x0:x1] = cut.alpha[y0 - top : y1 - top, x0 - left : x1 - left]
    if dice.random() < 0.3:
        picture = picture * (1 - _shadow(dice, over)[..., None])
    picture = np.array(picture)
    under, soft = picture[y0:y1, x0:x1], over[y0:y1, x0:x1, None]
    colours = cut.colours[y0 - top : y1 - top, x0 - left : x1 - left]
    picture[y0:y1, x0:x1] = under + (colours - under) * soft
    return picture, np.maximum(mask, over)


def _shadow(dice: Dice, over: Plane) -> Plane:
    """Return a darkening of 0…0.6: the subject's blurred and shifted outline."""
    size = over.shape[0]
    outline = Image.fromarray((over * _OPAQUE).astype(np.uint8))
    soft = outline.filter(ImageFilter.BoxBlur(dice.uniform(1, size / 16)))
    shift = (int(dice.normal(0, size / 20)), int(abs(dice.normal(0, size / 20))))
    cast = np.roll(np.asarray(soft, np.float32) / 255, shift[::-1], (0, 1))
    return cast * np.float32(dice.uniform(0.1, 0.6))


def _crop(dice: Dice, subject: Subject) -> tuple[float, float, float, float]:
    """Return a random frame that removes at most half of each side of the subject's box."""
    left, top, right, bottom = subject.box
    span_x, span_y = (right - left) / 2, (bottom - top) / 2
    x0, x1 = (
        dice.uniform(0, left + span_x * 0.5),
        dice.uniform(right - span_x * 0.5, subject.photo.width),
    )
    y0, y1 = (
        dice.uniform(0, top + span_y * 0.5),
        dice.uniform(bottom - span_y * 0.5, subject.photo.height),
    )
    return (float(x0), float(y0), float(max(x1, x0 + 8)), float(max(y1, y0 + 8)))


def _reach(dice: Dice, shelves: Sequence[Shelf]) -> Subject:
    subjects = _shelf(dice, shelves).subjects
    return subjects[dice.integers(len(subjects))]


def _shelf(dice: Dice, shelves: Sequence[Shelf]) -> Shelf:
    shares = np.array([shelf.share for shelf in shelves])
    return shelves[dice.choice(len(shelves), p=shares / shares.sum())]
