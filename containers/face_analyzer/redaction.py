"""Make every face of a photo unrecognisable, at full size.

A Gaussian blur only weakens fine detail, and deconvolution strengthens it again; nor does one
radius fit both a face of 30 pixels and one of 3,000. So `blur` starts as `pixelate` does. The
region around a face is reduced to four cells across, of which fewer than three cross the face. The
cells' brightness gets noise, and their colours are rounded. Nothing else of the region reaches the
result, however the cells are enlarged. See docs/decisions/0058.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.face_analyzer.pictures import EncodedPicture
from pipeline.contracts.faces import Face, Redaction
from pipeline.photo.encoding import encode
from pipeline.photo.pixels import Photo, Pixels

_MARGIN: Final = 0.22  # of a box's mean side: then the ellipse has the box's corners in it
_REACH: Final = 0.5  # of the box: landmarks farther outside it are wrong
_FEATHER: Final = 0.08  # of the hidden ellipse's axes, outside it
_CELLS: Final = 4  # across the longer side of a region
_NOISE: Final = 16.0  # standard deviation of a cell's brightness, of 255
_STEP: Final = 16  # between the levels that a cell's colour is rounded to
_FAINT: Final = 8  # of 255: nobody sees the colours of pixels that are less opaque
_STRIP_PIXELS: Final = 2**18
_RESAMPLING: Final = {"blur": Image.Resampling.BICUBIC, "pixelate": Image.Resampling.NEAREST}

Plane = npt.NDArray[np.float32]


def redact(
    photo: Photo, faces: Sequence[Face], redaction: Redaction, *, media_type: str
) -> EncodedPicture:
    """Hide the faces and encode the photo: a PNG (`media_type`) as PNG, any other as JPEG.

    Overwrites the photo's pixels, so that 100 megapixels are in memory once. A PNG keeps its
    alpha outside of faces, but not the colours of pixels that nobody can see; a JPEG is on white.
    Colour profile and resolution are kept. Raises MediaTooLarge beyond what a JPEG can hold.
    """
    if media_type == "image/png":
        pixels, picture_format, extension = _with_alpha(photo), "png", ".png"
    else:
        pixels, picture_format, extension = photo.on_white(), "jpeg", ".jpg"
    for face in faces:
        hide(pixels, face, redaction)
    content = encode(
        pixels, picture_format=picture_format, icc_profile=photo.icc_profile, dpi=photo.dpi
    )
    return EncodedPicture(content, f"image/{picture_format}", extension)


def _with_alpha(photo: Photo) -> Pixels:
    """Return H×W×4, with black wherever nobody sees a colour; an opaque photo's own H×W×3."""
    if photo.alpha is None:
        return photo.rgb
    pixels = np.empty((*photo.alpha.shape, 4), dtype=np.uint8)
    pixels[..., :3] = photo.rgb
    pixels[..., 3] = photo.alpha
    np.copyto(pixels[..., :3], 0, where=(photo.alpha < _FAINT)[..., None])
    return pixels


def hide(pixels: Pixels, face: Face, redaction: Redaction) -> None:
    """Overwrite a face in H×W×3 or H×W×4, with an ellipse around its box and a soft edge outside.

    Alpha can show a face, too: it is overwritten wherever it is not the same everywhere.
    """
    region = _region(face, pixels.shape)
    if region is None:
        return
    alpha = pixels[region.rows, region.columns, 3:]
    shown = pixels if alpha.size and alpha.min() < alpha.max() else pixels[..., :3]
    cells = _black(shown.shape[2]) if redaction == "cover" else _cells(shown, region)
    resampling = _RESAMPLING.get(redaction, Image.Resampling.NEAREST)
    for rows in region.strips():
        weight = region.weight(rows)[..., None]
        under = shown[rows, region.columns]
        over = region.enlarged(cells, rows, resampling)
        under[:] = np.rint(under + weight * (over - under.astype(np.float32)))


class _Region(NamedTuple):
    """The rows and columns that a face's ellipse touches, its centre (x, y) and axes."""

    rows: slice
    columns: slice
    centre: tuple[float, float]
    axes: tuple[float, float]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.columns.stop - self.columns.start, self.rows.stop - self.rows.start

    def strips(self) -> Iterator[slice]:
        """Yield the rows in strips of about a quarter of a megapixel."""
        step = max(1, _STRIP_PIXELS // self.size[0])
        for top in range(self.rows.start, self.rows.stop, step):
            yield slice(top, min(top + step, self.rows.stop))

    def weight(self, rows: slice) -> Plane:
        """Return how much of each pixel is hidden: 1 inside the ellipse, 0 beyond its edge."""
        across = np.arange(self.columns.start, self.columns.stop, dtype=np.float32) + 0.5
        down = np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5
        x, y = (across - self.centre[0]) / self.axes[0], (down - self.centre[1]) / self.axes[1]
        distance = np.sqrt(x[None] ** 2 + y[:, None] ** 2)
        weight: Plane = np.clip((1 + _FEATHER - distance) / _FEATHER, 0, 1, dtype=np.float32)
        return weight

    def enlarged(self, cells: Pixels, rows: slice, resampling: Image.Resampling) -> Pixels:
        """Return the part in `rows` of the cells enlarged to the region."""
        width, height = self.size
        down, across = cells.shape[:2]
        top, bottom = (row - self.rows.start for row in (rows.start, rows.stop))
        part = (0, top * down / height, across, bottom * down / height)
        return np.asarray(Image.fromarray(cells).resize((width, bottom - top), resampling, part))


def _region(face: Face, shape: tuple[int, ...]) -> _Region | None:
    """Return the region around a face's box and landmarks; None if it is outside the photo."""
    height, width = shape[:2]
    box = face.detection.box
    low = np.array([box.x, box.y])
    side = np.maximum([box.width, box.height], 1)
    points = np.array(face.landmarks).reshape(-1, 2)
    points = np.clip(points, low - _REACH * side, low + (1 + _REACH) * side)
    corners = np.vstack([low, low + side, points])
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    margin = _MARGIN * (right - left + bottom - top) / 2
    centre = (left + right) / 2, (top + bottom) / 2
    axes = (right - left) / 2 + margin, (bottom - top) / 2 + margin
    columns = _clipped(centre[0], axes[0], width)
    rows = _clipped(centre[1], axes[1], height)
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return None
    return _Region(rows, columns, centre, axes)


def _clipped(centre: float, axis: float, limit: int) -> slice:
    reach = axis * (1 + _FEATHER)
    return slice(max(0, math.floor(centre - reach)), min(limit, math.ceil(centre + reach)))


def _black(channels: int) -> Pixels:
    return np.array([[(0, 0, 0, 255)[:channels]]], dtype=np.uint8)


def _cells(pixels: Pixels, region: _Region) -> Pixels:
    """Return the region's few cells: means with noise, rounded to a few levels, and opacity too."""
    cell = 2 * max(region.axes) * (1 + _FEATHER) / _CELLS
    down, across = (
        np.linspace(side.start, side.stop, 1 + _count(side, cell)).round().astype(int)
        for side in (region.rows, region.columns)
    )
    means = np.array(
        [
            [_mean(pixels[top:bottom, left:right]) for left, right in pairwise(across)]
            for top, bottom in pairwise(down)
        ]
    )
    random = _noise(pixels, region)
    noise = random.normal(0, _NOISE, (*means.shape[:2], 1)).repeat(means.shape[2], axis=2)
    alpha = means[..., 3:]  # what is all transparent, or all opaque, stays so
    noise[..., 3:] = random.normal(0, _NOISE, alpha.shape) * ((alpha > 0) & (alpha < 255))
    levels: Pixels = np.clip(np.rint((means + noise) / _STEP) * _STEP, 0, 255).astype(np.uint8)
    return levels


def _mean(part: Pixels) -> npt.NDArray[np.float64]:
    """Return the mean of a part, its colours as far as they are opaque."""
    if part.shape[2] == 3:
        mean: npt.NDArray[np.float64] = part.mean(axis=(0, 1))
        return mean
    alpha = part[..., 3]
    colours = np.einsum("yxc,yx->c", part[..., :3], alpha, dtype=np.float64, casting="unsafe")
    opacity = alpha.mean()
    return np.append(colours / max(1, alpha.sum(dtype=np.float64)), opacity)


def _count(side: slice, cell: float) -> int:
    length: int = side.stop - side.start
    return min(length, max(1, round(length / cell)))


def _noise(pixels: Pixels, region: _Region) -> np.random.Generator:
    """Return noise that only the hidden pixels determine.

    A second attempt gives the same bytes, and a hundred redactions of a photo have no average to
    betray. To guess the noise one would need the pixels.
    """
    digest = hashlib.sha256()
    for rows in region.strips():
        digest.update(pixels[rows, region.columns].tobytes())
    return np.random.default_rng(int.from_bytes(digest.digest()))
