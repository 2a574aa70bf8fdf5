"""Before and after, side by side: one PNG to look at instead of a folder to click through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.local.batch import Outcome
from pipeline.photo import decode

_TILE: Final = 300
_MARGIN: Final = 12
_CAPTION: Final = 24
_CHECKER: Final = 10
_PAPER: Final = (250, 250, 250)
_INK: Final = (40, 40, 40)


def write_contact_sheet(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write a sheet of every finished photo, two pairs a row; nothing if none finished."""
    done = [outcome for outcome in outcomes if outcome.picture is not None]
    if not done:
        return
    columns = min(2, len(done))
    rows = -(-len(done) // columns)
    pair_width, pair_height = 2 * _TILE + 2 * _MARGIN, _TILE + _CAPTION + _MARGIN
    sheet = Image.new("RGB", (columns * pair_width + _MARGIN, rows * pair_height + _MARGIN), _PAPER)
    for index, outcome in enumerate(done):
        left = _MARGIN + (index % columns) * pair_width
        top = _MARGIN + (index // columns) * pair_height
        _draw_pair(sheet, outcome, left, top)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _draw_pair(sheet: Image.Image, outcome: Outcome, left: int, top: int) -> None:
    after = outcome.picture
    assert after is not None  # noqa: S101 - only finished photos are drawn
    sheet.paste(_tile(outcome.photo.path), (left, top))
    sheet.paste(_tile(after), (left + _TILE + _MARGIN // 2, top))
    caption = f"{outcome.photo.name}  ·  {outcome.model}"
    font = ImageFont.load_default(14)
    ImageDraw.Draw(sheet).text((left, top + _TILE + 4), caption[:80], fill=_INK, font=font)


def _tile(path: Path) -> Image.Image:
    """A picture fitted into a square tile, over a checkerboard where it is transparent."""
    photo = decode(path.read_bytes())
    opacity = photo.alpha if photo.alpha is not None else np.full(photo.rgb.shape[:2], 255, "uint8")
    picture = Image.fromarray(np.dstack([photo.rgb, opacity]))
    picture.thumbnail((_TILE, _TILE), Image.Resampling.LANCZOS)
    tile = Image.new("RGB", (_TILE, _TILE), _PAPER)
    board = checkerboard(*picture.size)
    board.paste(picture, (0, 0), picture)
    tile.paste(board, ((_TILE - picture.width) // 2, (_TILE - picture.height) // 2))
    return tile


def checkerboard(width: int, height: int) -> Image.Image:
    """Light and grey squares, the usual sign for transparency."""
    rows, columns = np.indices((height, width)) // _CHECKER
    shade = np.where((rows + columns) % 2 == 0, 255, 204).astype(np.uint8)
    return Image.fromarray(shade).convert("RGB")
