"""Mask to alpha matte at the photo's resolution."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.edge_refiner.box_filter import Plane
from containers.edge_refiner.guided_filter import LinearModel, fit_linear_model
from containers.edge_refiner.resampling import Strip, each_strip, enlarge, shrink, small_size
from containers.edge_refiner.trimap import FOREGROUND, UNKNOWN, mask_to_trimap
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.contracts import Refine
from pipeline.photo import Photo, Pixels, decode

Alpha = npt.NDArray[np.float32]

_WORKING_SIDE: Final = 1024
_WORKING_PIXELS_PER_MASK_PIXEL: Final = 2
_BAND_MASK_PIXELS: Final = 2.5
_REGULARISATION: Final = 1e-4


def read_mask(store: ArtifactStore, artifact: Artifact) -> Pixels:
    """The model's mask, h×w uint8."""
    return decode(store.read(Location.parse(artifact.uri))).rgb[..., 0]


def estimate_alpha(photo: Photo, mask: Pixels, *, mode: Refine) -> tuple[Refine, Alpha]:
    """The mode that was used and an H×W float32 matte in 0…1.

    `auto` is `fast`. Alpha the photo came with is kept: what was transparent stays transparent.
    """
    alpha = mask_as_alpha(photo, mask) if mode == "none" else follow_edges(photo, mask)
    if photo.alpha is not None:
        alpha *= photo.alpha.astype(np.float32) / np.float32(255)
    return ("none" if mode == "none" else "fast"), alpha


def mask_as_alpha(photo: Photo, mask: Pixels) -> Alpha:
    """The mask enlarged to the photo, nothing else."""
    height, width = photo.rgb.shape[:2]
    alpha = np.empty((height, width), dtype=np.float32)
    coarse = Image.fromarray(mask)

    def write(strip: Strip) -> None:
        enlarged = coarse.resize(
            (width, strip.bottom - strip.top),
            Image.Resampling.BICUBIC,
            box=strip.box_in(mask.shape),
        )
        np.divide(np.asarray(enlarged), np.float32(255), out=alpha[strip.rows])

    each_strip(alpha.shape, write)
    return alpha


def opacity_of(alpha: Alpha) -> Pixels:
    """An alpha matte in 8 bits."""
    return (alpha * 255 + np.float32(0.5)).astype(np.uint8)


def follow_edges(photo: Photo, mask: Pixels) -> Alpha:
    """The mask enlarged along the photo's own edges, inside the edge band only.

    The band is as wide as the mask is coarse: 2.5 mask pixels either side of doubt.
    """
    finest = _WORKING_PIXELS_PER_MASK_PIXEL * max(mask.shape)
    size = small_size(photo.rgb.shape, min(_WORKING_SIDE, finest))
    coarse = _mask_at(mask, size)
    mask_pixel = max(size) / max(mask.shape)
    radius = max(1, round(_BAND_MASK_PIXELS * mask_pixel))
    trimap = mask_to_trimap(coarse, band_radius=radius)
    model = fit_linear_model(
        shrink(photo.on_white(), size),
        coarse,
        radius=radius,
        mask_pixel=max(1, round(mask_pixel)),
        regularisation=_REGULARISATION,
    )
    alpha = np.empty(photo.rgb.shape[:2], dtype=np.float32)

    def write(strip: Strip) -> None:
        alpha[strip.rows] = _alpha_of(strip, photo, trimap, model)

    each_strip(alpha.shape, write)
    return alpha


def _mask_at(mask: Pixels, size: tuple[int, int]) -> Plane:
    image = Image.fromarray(mask).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def _alpha_of(strip: Strip, photo: Photo, trimap: Pixels, model: LinearModel) -> Alpha:
    """One strip: the trimap where it is sure, the linear model where it is not."""
    width = photo.rgb.shape[1]
    known = enlarge((trimap == FOREGROUND).astype(np.float32), strip, width)
    doubt = enlarge((trimap == UNKNOWN).astype(np.float32), strip, width)
    if not doubt.any():
        return known
    fitted = enlarge(model.offset, strip, width)
    for channel in range(3):
        per_level = model.slope[..., channel] / np.float32(255)
        fitted = fitted + enlarge(per_level, strip, width) * photo.rgb[strip.rows, :, channel]
    # `doubt` fades to 0 over one small pixel, so the band has no seam.
    alpha: Alpha = np.clip(known + doubt * np.clip(fitted, 0, 1), 0, 1)
    return alpha
