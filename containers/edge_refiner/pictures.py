"""Render the output images that the options request, as pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageColor

from containers.edge_refiner.edge_band import Alpha
from containers.edge_refiner.foreground import estimate_foreground, opacity_of, paint_foreground
from containers.edge_refiner.resampling import reduced_to
from containers.edge_refiner.tiling import strips
from pipeline.contracts.cutout import CutoutOptions, PictureFormat, PictureKind
from pipeline.photo.pixels import Photo, Pixels

PREVIEW_SIDE: Final = 1024  # pixels
OPAQUE: Final = 255
VISIBLE: Final = 8  # of 255: resampling a mask leaves fainter ripples around its edges
_TINY: Final = np.float32(1e-6)


class Rendered(NamedTuple):
    """One output image: H×W, H×W×3 or H×W×4 uint8, the format to encode it in, and its profile."""

    kind: PictureKind
    pixels: Pixels
    format: PictureFormat
    icc_profile: bytes | None = None


def render(photo: Photo, alpha: Alpha, options: CutoutOptions) -> list[Rendered]:
    """Return one image per requested output, all cropped and reduced alike.

    A mask is always a grey PNG. `alpha` is the photo's H×W matte in 0…1.
    """
    opacity = opacity_of(alpha)
    frame = subject_box(opacity, options.margin) if options.crop else (slice(None), slice(None))
    pictures = []
    if "mask" in options.outputs:
        mask = np.ascontiguousarray(opacity[frame])
        pictures.append(Rendered("mask", reduced_to(options.size, mask), "png"))
    if options.outputs != ("mask",):
        if options.background:
            photo = photo.able_to_show(_colour(options.background))
        composed = np.ascontiguousarray(compose(photo, alpha, options.background)[frame])
        cutout = reduced_to(options.size, composed)
    if "cutout" in options.outputs:
        pictures.append(Rendered("cutout", cutout, options.format, photo.icc_profile))
    if "preview" in options.outputs:
        pictures.append(_preview(cutout, options.format, photo.icc_profile))
    return pictures


def compose(photo: Photo, alpha: Alpha, background: str | None) -> Pixels:
    """Return the cutout: H×W×4 RGBA with straight alpha, or H×W×3 RGB on an opaque background.

    `background` is `#rrggbb` in sRGB, or `#rrggbbaa` for a translucent one, which gives RGBA again.
    The photo's profile must be able to hold its colour.
    """
    # A photo's own alpha limits the matte, so its colours are first mixed with white: unmixing by
    # the matte then removes both alphas at once.
    on_white = photo.on_white()
    if background is None:
        cutout = np.empty((*alpha.shape, 4), dtype=np.uint8)
        paint_foreground(on_white, alpha, onto=cutout[..., :3])
        _restore_own_colours(photo, alpha, onto=cutout[..., :3])
        cutout[..., 3] = opacity_of(alpha)
        return cutout
    opacity = (*ImageColor.getrgb(background), OPAQUE)[3]
    colour = photo.numbers_of(_colour(background))
    foreground = estimate_foreground(on_white, alpha)
    _restore_own_colours(photo, alpha, onto=foreground)
    if opacity == OPAQUE:
        return _over_colour(foreground, alpha, colour)
    return _over_translucent(foreground, alpha, colour, np.float32(opacity / OPAQUE))


def _colour(background: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(background)[:3]
    return red, green, blue


def _restore_own_colours(photo: Photo, alpha: Alpha, *, onto: Pixels) -> None:
    """Copy the photo's colours where its own alpha is the matte: there they are not mixed."""
    if photo.alpha is None:
        return
    soft = (photo.alpha > 0) & (photo.alpha < OPAQUE)
    own = np.nonzero(soft & (opacity_of(alpha) == photo.alpha))
    onto[own] = photo.rgb[own]


def _over_colour(foreground: Pixels, alpha: Alpha, colour: Sequence[int]) -> Pixels:
    """Place the subject on an opaque colour; `foreground` is overwritten and returned."""
    backdrop = np.array(colour, dtype=np.float32)
    for strip in strips(alpha.shape):
        weight, subject = alpha[strip.inside][..., None], foreground[strip.inside]
        mixed = subject * weight + backdrop * (1 - weight)
        subject[:] = (mixed + np.float32(0.5)).astype(np.uint8)
    return foreground


def _over_translucent(
    foreground: Pixels, alpha: Alpha, colour: Sequence[int], opacity: np.float32
) -> Pixels:
    """Place the subject on a colour of `opacity` 0…1: straight alpha, RGB zero where it is 0."""
    backdrop = np.array(colour, dtype=np.float32)
    image = np.zeros((*alpha.shape, 4), dtype=np.uint8)
    for strip in strips(alpha.shape):
        weight, canvas = alpha[strip.inside][..., None], image[strip.inside]
        rest = (1 - weight) * opacity
        total = weight + rest
        mixed = (foreground[strip.inside] * weight + backdrop * rest) / np.maximum(total, _TINY)
        canvas[..., 3:] = (total * OPAQUE + np.float32(0.5)).astype(np.uint8)
        canvas[..., :3] = (mixed + np.float32(0.5)).astype(np.uint8) * (canvas[..., 3:] > 0)
    return image


def _preview(cutout: Pixels, picture_format: PictureFormat, icc_profile: bytes | None) -> Rendered:
    """Reduce the cutout to at most 1,024 pixels on the longer side, weighting colours by alpha."""
    image = Image.fromarray(cutout)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    return Rendered("preview", np.asarray(image), picture_format, icc_profile)


def subject_box(opacity: Pixels, margin: int = 0) -> tuple[slice, slice]:
    """Return rows and columns of the smallest box around all visible pixels, or the whole frame.

    A pixel is visible if its opacity (H×W uint8) is at least `VISIBLE`. The box grows on each side
    by `margin` percent of its longer side, up to the frame.
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
