"""The pictures a person asked for, as pixels."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageColor

from containers.edge_refiner.alpha import Alpha, opacity_of
from containers.edge_refiner.foreground import estimate_foreground, paint_foreground
from containers.edge_refiner.resampling import strips
from pipeline.contracts import Options, PictureFormat, PictureKind
from pipeline.photo import Photo, Pixels

PREVIEW_SIDE: Final = 1024
VISIBLE: Final = 8  # of 255: fainter than this is the ringing of a resampled mask


class Rendered(NamedTuple):
    kind: PictureKind
    pixels: Pixels
    format: PictureFormat


def render(photo: Photo, alpha: Alpha, options: Options) -> list[Rendered]:
    """One picture per requested output, all cropped alike. A mask is always a grey PNG."""
    frame = subject_box(opacity_of(alpha)) if options.crop else (slice(None), slice(None))
    pictures = []
    if "mask" in options.outputs:
        pictures.append(Rendered("mask", opacity_of(alpha[frame]), "png"))
    if options.outputs != ("mask",):
        cutout = np.ascontiguousarray(compose(photo, alpha, options.background)[frame])
    if "cutout" in options.outputs:
        pictures.append(Rendered("cutout", cutout, options.format))
    if "preview" in options.outputs:
        pictures.append(_preview(cutout, options.format))
    return pictures


def compose(photo: Photo, alpha: Alpha, background: str | None) -> Pixels:
    """H×W×4 straight-alpha RGBA, or H×W×3 RGB over a `#rrggbb` background."""
    # On white, an input alpha and the matte are one mixture: neither is unmixed twice.
    seen_photo = photo.on_white()
    if background is None:
        cutout = np.empty((*alpha.shape, 4), dtype=np.uint8)
        paint_foreground(seen_photo, alpha, onto=cutout[..., :3])
        cutout[..., 3] = opacity_of(alpha)
        return cutout
    foreground = estimate_foreground(seen_photo, alpha)
    wanted = np.array(ImageColor.getrgb(background), dtype=np.float32)
    for strip in strips(alpha.shape):
        weight, seen = alpha[strip.rows, :, None], foreground[strip.rows]
        seen[:] = (seen * weight + wanted * (1 - weight) + np.float32(0.5)).astype(np.uint8)
    return foreground


def _preview(cutout: Pixels, picture_format: PictureFormat) -> Rendered:
    """The cut-out with its longer side at most 1,024 pixels, alpha-weighted: edges stay clean."""
    image = Image.fromarray(cutout)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    return Rendered("preview", np.asarray(image), picture_format)


def subject_box(opacity: Pixels) -> tuple[slice, slice]:
    """Rows and columns of the smallest box around every visible pixel, the frame if there is none.

    Visible means an opacity (0…255, H×W) of `VISIBLE` or more.
    """
    visible = opacity >= VISIBLE
    rows = np.flatnonzero(visible.any(axis=1))
    columns = np.flatnonzero(visible.any(axis=0))
    if not rows.size:
        return slice(None), slice(None)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
