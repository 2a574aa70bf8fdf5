"""Draw the boxes and scores of faces into a small copy of the photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from containers.face_analyzer.pictures import EncodedPicture
from pipeline.contracts.faces import Box, Face
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Photo, Pixels

LONGEST: Final = 1600  # pixels on the longer side
_STRIP_PIXELS: Final = 2**20
_LINE, _TEXT = 1 / 500, 1 / 60  # of the longer side
_LEAST_TEXT: Final = 11  # pixels


def draw_preview(photo: Photo, faces: Sequence[Face]) -> EncodedPicture:
    """Return a JPEG of the photo, reduced to `LONGEST`, with a box and a score at each face.

    White lines between black ones, and white on black text, can be read on any photo.
    """
    picture = _reduced(photo)
    scale = picture.width / photo.rgb.shape[1]
    boxes = [_scaled(face.detection.box, scale) for face in faces]
    draw = ImageDraw.Draw(picture)
    line = max(1, round(max(picture.size) * _LINE))
    for box in boxes:
        _draw_box(draw, box, line)
    font = ImageFont.load_default(max(_LEAST_TEXT, round(max(picture.size) * _TEXT)))
    for face, box in zip(faces, boxes, strict=True):
        _draw_label(draw, f"{face.detection.score:.2f}", box, line, font)
    content = encode(np.asarray(picture), picture_format="jpeg", icc_profile=photo.icc_profile)
    return EncodedPicture(content, "image/jpeg", ".jpg")


def _reduced(photo: Photo) -> Image.Image:
    factor = max(1, max(photo.rgb.shape[:2]) // LONGEST)
    blocks = [np.asarray(Image.fromarray(strip).reduce(factor)) for strip in _strips(photo, factor)]
    picture = Image.fromarray(np.concatenate(blocks))
    picture.thumbnail((LONGEST, LONGEST))
    return picture


def _strips(photo: Photo, factor: int) -> Iterator[Pixels]:
    """Yield the photo on white, in strips of about a megapixel, their rows whole blocks."""
    height, width = photo.rgb.shape[:2]
    step = factor * max(1, _STRIP_PIXELS // (factor * width))
    for top in range(0, height, step):
        rows = slice(top, top + step)
        alpha = None if photo.alpha is None else photo.alpha[rows]
        yield replace(photo, rgb=photo.rgb[rows], alpha=alpha).on_white()


def _scaled(box: Box, scale: float) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom."""
    corners = box.x, box.y, box.x + max(0, box.width), box.y + max(0, box.height)
    left, top, right, bottom = (round(corner * scale) for corner in corners)
    return left, top, right, bottom


def _draw_box(draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], line: int) -> None:
    """Draw a box whose white line touches it from outside, between two black lines."""
    left, top, right, bottom = box
    for colour, grown, width in (("black", 2 * line, 3 * line), ("white", line, line)):
        sides = left - grown, top - grown, right + grown, bottom + grown
        draw.rectangle(sides, outline=colour, width=width)


def _draw_label(
    draw: ImageDraw.ImageDraw,
    text: str,
    box: tuple[float, float, float, float],
    line: int,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> None:
    """Write the text above a box, or into it where there is no room; always inside the picture."""
    picture = draw.im.size
    _, _, wide, high = draw.textbbox((0, 0), text, font=font)
    wide, high = wide + 4 * line, high + 2 * line
    left = max(0, min(box[0] - 2 * line, picture[0] - wide))
    above = box[1] - 2 * line - high
    top = max(0, min(above if above >= 0 else box[1], picture[1] - high))
    draw.rectangle((left, top, left + wide, top + high), fill="black")
    draw.text((left + 2 * line, top + line), text, fill="white", font=font)
