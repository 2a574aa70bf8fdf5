"""Cut a face out of a photo as its embedding network expects it: side × side × 3, 0…255."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.face_embedder.spec import Pixels, Points, Tensor
from pipeline.contracts.faces import Box

LANDMARKS: Final = 68  # of dlib's order

# Where OpenCV's face recognizer expects eyes, nose and corners of the mouth on 112² pixels.
_EXPECTED: Final = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)

# dlib's square, as face-api cuts it: its centre is between eyes and mouth, its side their distance
# divided by `_EYES_TO_MOUTH`.
_EYES: Final = (slice(36, 42), slice(42, 48))
_MOUTH: Final = slice(48, 68)
_EYES_TO_MOUTH: Final = 0.45
_CENTRE: Final = (0.5, 0.43)  # of the square, across and down
_DLIB_SIDE: Final = 150


class Rectangle(NamedTuple):
    """A part of a photo, in whole pixels; empty if it is outside."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, photo: Pixels) -> Pixels:
        return photo[self.top : self.bottom, self.left : self.right]

    @property
    def empty(self) -> bool:
        return self.right <= self.left or self.bottom <= self.top


def stretched(photo: Pixels, box: Box, side: int) -> Tensor | None:
    """Return what is in a box, stretched with Pillow's bilinear filter. As facenet-pytorch does.

    None if no pixel of the photo is in it.
    """
    height, width, _ = photo.shape
    part = Rectangle(
        int(max(box.x, 0)),
        int(max(box.y, 0)),
        int(min(box.x + box.width, width)),
        int(min(box.y + box.height, height)),
    )
    if part.empty:
        return None
    face = Image.fromarray(part.of(photo)).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(face, np.float32)


def straightened(photo: Pixels, points: Points, side: int) -> Tensor:
    """Return the face with its five points where they are expected, black outside the photo."""
    placed = similarity(_EXPECTED * (side / 112), points)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1)
    return _sampled(photo, grid @ placed[:, :2].T + placed[:, 2])


def similarity(source: Points, target: Points) -> npt.NDArray[np.float64]:
    """Return the 2×3 matrix that turns, scales and moves `source` onto `target`, without mirroring.

    It has the least squared distance between the points (Umeyama 1991).
    """
    source_centre, target_centre = source.mean(axis=0), target.mean(axis=0)
    one, other = source - source_centre, target - target_centre
    left, stretch, right = np.linalg.svd(other.T @ one)
    signs = np.array([1.0, 1.0 if np.linalg.det(left) * np.linalg.det(right) > 0 else -1.0])
    turned = left @ np.diag(signs) @ right
    scaled = (stretch @ signs) / (one**2).sum() * turned
    return np.column_stack([scaled, target_centre - scaled @ source_centre])


def _sampled(photo: Pixels, at: npt.NDArray[np.float64]) -> Tensor:
    """Return a photo's colours at points (… × 2, x and y of pixel centres) by bilinear weights."""
    height, width, _ = photo.shape
    first = np.floor(at).astype(np.int64)
    share = (at - first).astype(np.float32)
    mixed = np.zeros((*at.shape[:-1], 3), np.float32)
    for across in (0, 1):
        for down in (0, 1):
            x, y = first[..., 0] + across, first[..., 1] + down
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            weight = np.abs(1 - across - share[..., 0]) * np.abs(1 - down - share[..., 1])
            colours = photo[np.where(inside, y, 0), np.where(inside, x, 0)]
            mixed += (weight * inside)[..., None] * colours
    return mixed


def squeezed(photo: Pixels, landmarks: Points) -> Tensor | None:
    """Return dlib's square of a face with 68 landmarks at 150². As face-api does.

    TensorFlow's bilinear resizing: corners not aligned, no half pixel, no antialiasing. What the
    edge of the photo cuts off is made up for by black on both sides. None if nothing is left.
    """
    height, width, _ = photo.shape
    square = square_of(landmarks, width=width, height=height)
    if square.empty:
        return None
    part = square.of(photo)
    height, width, _ = part.shape
    side = max(height, width)
    steps = np.minimum(np.arange(_DLIB_SIDE) * (side / _DLIB_SIDE), side - 1)
    black = (side - width) // 2, (side - height) // 2  # the larger half comes last
    at = np.stack(np.meshgrid(steps - black[0], steps - black[1]), axis=-1)
    return _sampled(part, at)


def square_of(landmarks: Points, *, width: int, height: int) -> Rectangle:
    """Return dlib's square of 68 landmarks in a photo.

    As in face-api, a square that begins above or left of the photo is moved into it. Unlike there,
    only the photo's edge makes it smaller, not the detector's box.
    """
    centres = np.array([landmarks[part].mean(axis=0) for part in (*_EYES, _MOUTH)])
    distances = np.hypot(*(centres[2] - centres[:2]).T)
    side = math.floor(distances.mean() / _EYES_TO_MOUTH)
    across, down = centres.mean(axis=0) - side * np.array(_CENTRE)
    left, top = math.floor(max(0, across)), math.floor(max(0, down))
    return Rectangle(left, top, min(left + side, width), min(top + side, height))
