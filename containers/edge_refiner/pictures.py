"""The pictures a person asked for, as pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageColor

from containers.edge_refiner.alpha import opacity_of
from containers.edge_refiner.foreground import estimate_foreground, paint_foreground
from containers.edge_refiner.mask import Alpha
from containers.edge_refiner.tiling import tiles
from pipeline.contracts.cutout import CutoutOptions, PictureFormat, PictureKind
from pipeline.photo.pixels import Photo, Pixels

PREVIEW_SIDE: Final = 1024
OPAQUE: Final = 255
VISIBLE: Final = 8  # of 255: fainter than this is the ringing of a resampled mask
_SIDE: Final = 512
_TINY: Final = np.float32(1e-6)


class Rendered(NamedTuple):
    kind: PictureKind
    pixels: Pixels
    format: PictureFormat


def render(photo: Photo, alpha: Alpha, options: CutoutOptions) -> list[Rendered]:
    """One picture per requested output, all cropped alike. A mask is always a grey PNG."""
    opacity = opacity_of(alpha)
    frame = subject_box(opacity, options.margin) if options.crop else (slice(None), slice(None))
    pictures = []
    if "mask" in options.outputs:
        pictures.append(Rendered("mask", np.ascontiguousarray(opacity[frame]), "png"))
    if options.outputs != ("mask",):
        cutout = np.ascontiguousarray(compose(photo, alpha, options.background)[frame])
    if "cutout" in options.outputs:
        pictures.append(Rendered("cutout", cutout, options.format))
    if "preview" in options.outputs:
        pictures.append(_preview(cutout, options.format))
    return pictures


def compose(photo: Photo, alpha: Alpha, background: str | None) -> Pixels:
    """H×W×4 straight-alpha RGBA, or H×W×3 RGB over an opaque background.

    The background is `#rrggbb`, or `#rrggbbaa` to be seen through itself.
    """
    # On white, an input alpha and the matte are one mixture: neither is unmixed twice.
    seen_photo = photo.on_white()
    if background is None:
        cutout = np.empty((*alpha.shape, 4), dtype=np.uint8)
        paint_foreground(seen_photo, alpha, onto=cutout[..., :3])
        _keep_own_colours(photo, alpha, onto=cutout[..., :3])
        cutout[..., 3] = opacity_of(alpha)
        return cutout
    red, green, blue, veil = (*ImageColor.getrgb(background), OPAQUE)[:4]
    colour = red, green, blue
    foreground = estimate_foreground(seen_photo, alpha)
    _keep_own_colours(photo, alpha, onto=foreground)
    if veil == OPAQUE:
        return _over_colour(foreground, alpha, colour)
    return _over_veil(foreground, alpha, colour, np.float32(veil / OPAQUE))


def _keep_own_colours(photo: Photo, alpha: Alpha, *, onto: Pixels) -> None:
    """Where nothing but the photo's own alpha is seen through, its colours are no mixture."""
    if photo.alpha is None:
        return
    soft = (photo.alpha > 0) & (photo.alpha < OPAQUE)
    own = np.nonzero(soft & (opacity_of(alpha) == photo.alpha))
    onto[own] = photo.rgb[own]


def _over_colour(foreground: Pixels, alpha: Alpha, colour: Sequence[int]) -> Pixels:
    """The subject on a colour, written over its own colours."""
    wanted = np.array(colour, dtype=np.float32)
    for tile in tiles(alpha.shape, _SIDE):
        weight, seen = alpha[tile.inside][..., None], foreground[tile.inside]
        seen[:] = (seen * weight + wanted * (1 - weight) + np.float32(0.5)).astype(np.uint8)
    return foreground


def _over_veil(foreground: Pixels, alpha: Alpha, colour: Sequence[int], veil: np.float32) -> Pixels:
    """The subject on a colour of opacity `veil` (0…1): straight alpha, zeros where it is 0."""
    wanted = np.array(colour, dtype=np.float32)
    veiled = np.zeros((*alpha.shape, 4), dtype=np.uint8)
    for tile in tiles(alpha.shape, _SIDE):
        weight, canvas = alpha[tile.inside][..., None], veiled[tile.inside]
        rest = (1 - weight) * veil
        whole = weight + rest
        mixed = (foreground[tile.inside] * weight + wanted * rest) / np.maximum(whole, _TINY)
        canvas[..., 3:] = (whole * OPAQUE + np.float32(0.5)).astype(np.uint8)
        canvas[..., :3] = (mixed + np.float32(0.5)).astype(np.uint8) * (canvas[..., 3:] > 0)
    return veiled


def _preview(cutout: Pixels, picture_format: PictureFormat) -> Rendered:
    """The cut-out with its longer side at most 1,024 pixels, alpha-weighted: edges stay clean."""
    image = Image.fromarray(cutout)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    return Rendered("preview", np.asarray(image), picture_format)


def subject_box(opacity: Pixels, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns of the smallest box around every visible pixel, the frame if there is none.

    Visible means an opacity (0…255, H×W) of `VISIBLE` or more. The box grows by `margin` percent of
    its longer side, as far as there is photo.
    """
    visible = opacity >= VISIBLE
    rows = np.flatnonzero(visible.any(axis=1))
    columns = np.flatnonzero(visible.any(axis=0))
    if not rows.size:
        return slice(None), slice(None)
    spans = [(int(places[0]), int(places[-1]) + 1) for places in (rows, columns)]
    around = round(margin / 100 * max(end - start for start, end in spans))
    down, across = (slice(max(start - around, 0), end + around) for start, end in spans)
    return down, across
