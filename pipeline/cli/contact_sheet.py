"""Write a contact sheet: one PNG with each photo next to its cutout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.photo.pixels import decode
from pipeline.session.batch import Outcome

_COLUMNS: Final = 2
_TILE: Final = 300
_MARGIN: Final = 12
_CAPTION: Final = 24
_CHECKER: Final = 10
_PAPER: Final = (250, 250, 250)
_INK: Final = (40, 40, 40)


def write_contact_sheet(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write a sheet of all finished photos, two pairs a row; no file if none finished."""
    pairs = [_pair(outcome, outcome.picture) for outcome in outcomes if outcome.picture]
    if not pairs:
        return
    rows = [pairs[index : index + _COLUMNS] for index in range(0, len(pairs), _COLUMNS)]
    heights = [max(pair.height for pair in row) + _MARGIN for row in rows]
    width = _MARGIN + max(sum(pair.width + _MARGIN for pair in row) for row in rows)
    sheet = Image.new("RGB", (width, _MARGIN + sum(heights)), _PAPER)
    for index, row in enumerate(rows):
        top = _MARGIN + sum(heights[:index])
        for column, pair in enumerate(row):
            sheet.paste(pair, (_MARGIN + column * (pair.width + _MARGIN), top))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _pair(outcome: Outcome, picture: Path) -> Image.Image:
    """Draw the photo next to its cutout, with name and model below."""
    tiles = [_tile(outcome.photo.path), _tile(picture)]
    height = max(tile.height for tile in tiles)
    pair = Image.new("RGB", (2 * _TILE + _MARGIN // 2, height + _CAPTION), _PAPER)
    for left, tile in zip((0, _TILE + _MARGIN // 2), tiles, strict=True):
        pair.paste(tile, (left + (_TILE - tile.width) // 2, (height - tile.height) // 2))
    caption = f"{outcome.photo.name}  ·  {outcome.model}"
    font = ImageFont.load_default(14)
    ImageDraw.Draw(pair).text((0, height + 4), caption[:80], fill=_INK, font=font)
    return pair


def _tile(path: Path) -> Image.Image:
    """Fit an image into a square tile, over a checkerboard if it is transparent."""
    photo = decode(path.read_bytes())
    opacity = photo.alpha if photo.alpha is not None else np.full(photo.rgb.shape[:2], 255, "uint8")
    picture = Image.fromarray(np.dstack([photo.rgb, opacity]))
    picture.thumbnail((_TILE, _TILE), Image.Resampling.LANCZOS)
    board = checkerboard(*picture.size)
    board.paste(picture, (0, 0), picture)
    return board


def checkerboard(width: int, height: int) -> Image.Image:
    """Draw light and grey squares, which stand for transparency."""
    rows, columns = np.indices((height, width)) // _CHECKER
    shade = np.where((rows + columns) % 2 == 0, 255, 204).astype(np.uint8)
    return Image.fromarray(shade).convert("RGB")
