"""Draw sheets of photos cut out over a checkerboard, and of where masks agree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from containers.background_remover.subject import CONFIDENT
from pipeline.photo.pixels import Pixels

TILE: Final = 190
_COLUMNS: Final = 7
_CAPTION: Final = 14
_BOTH, _MISSED, _INVENTED = (235, 235, 235), (214, 69, 65), (66, 133, 205)


class Case(NamedTuple):
    """A photo (H×W×3) and its published mask (H×W)."""

    name: str
    photo: Pixels
    truth: Pixels


class Judged(NamedTuple):
    case: Case
    mask: Pixels
    overlap: float


def draw_photo_sheet(answers: Sequence[Judged], path: Path) -> None:
    """Draw photo and cutout side by side, best overlap first."""
    tiles = []
    for answer in _best_first(answers):
        both = np.concatenate([answer.case.photo, _on_checkers(answer)], axis=1)
        tiles.append((_caption(answer), Image.fromarray(both)))
    _sheet(tiles, path, width=2 * TILE, columns=_COLUMNS // 2 + 1)


def draw_overlap_sheet(answers: Sequence[Judged], path: Path) -> None:
    """Draw overlaps: white for both masks, red for the published one only, blue for ours only."""
    tiles = [
        (f"{answer.overlap:.2f}", Image.fromarray(_agreement(answer.mask, answer.case.truth)))
        for answer in _best_first(answers)
    ]
    _sheet(tiles, path, width=TILE, columns=_COLUMNS)


def _agreement(mask: Pixels, truth: Pixels) -> Pixels:
    ours, theirs = mask >= CONFIDENT, truth >= CONFIDENT
    picture = np.full((*mask.shape, 3), 24, np.uint8)
    picture[ours & theirs], picture[theirs & ~ours], picture[ours & ~theirs] = (
        _BOTH,
        _MISSED,
        _INVENTED,
    )
    return picture


def _on_checkers(answer: Judged) -> Pixels:
    height, width = answer.mask.shape
    down, right = np.mgrid[0:height, 0:width] // max(8, width // 24)
    checkers = np.where((down + right) % 2, 205, 245)[..., None]
    alpha = answer.mask[..., None].astype(np.float32) / 255
    mixed: Pixels = (answer.case.photo * alpha + checkers * (1 - alpha)).astype(np.uint8)
    return mixed


def _best_first(answers: Sequence[Judged]) -> list[Judged]:
    return sorted(answers, key=lambda answer: -answer.overlap)


def _caption(answer: Judged) -> str:
    return f"{answer.overlap:.2f}  {answer.case.name[:20]}"


def _sheet(
    tiles: Sequence[tuple[str, Image.Image]], path: Path, *, width: int, columns: int
) -> None:
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * width, rows * (TILE + _CAPTION)), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (caption, tile) in enumerate(tiles):
        left, top = number % columns * width, number // columns * (TILE + _CAPTION)
        tile.thumbnail((width - 4, TILE - 4), Image.Resampling.BOX)
        sheet.paste(tile, (left + (width - tile.width) // 2, top + _CAPTION))
        pen.text((left + 4, top + 1), caption, fill="black")
    sheet.save(path, optimize=True)
