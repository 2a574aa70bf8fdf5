"""Find faces in a part of a photo with face-api's SSD MobileNet, or with its tiny YOLO."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from containers.face_analyzer.boxes import Found, distinct
from containers.face_analyzer.network import Network, Networks
from containers.face_analyzer.sampling import Part, sampled
from containers.face_analyzer.spec import Boxes, Numbers, Scores, SsdSpec, TinySpec
from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsMismatch
from pipeline.photo.pixels import Pixels

# Sides of the tiny detector's anchors in cells of its grid. Source: tinyFaceDetector/const.ts.
_ANCHORS: Final = np.array(
    [
        (1.603231, 2.094468), (6.041143, 7.080126), (2.882459, 3.518061),
        (4.266906, 5.178857), (9.041765, 10.66308),
    ]
)  # fmt: skip
_CELL: Final = 32  # pixels of the network's input
_FARTHEST: Final = 1e7  # pixels: a hundred times the longest side of a photo
_OF_A_BOX: Final = 5  # numbers for each anchor: x, y, width, height, score


class Detector(Protocol):
    """Finds the faces in a part of a photo: boxes in pixels of the photo, by falling score."""

    @property
    def side(self) -> int: ...

    @property
    def overlap(self) -> float: ...

    def find(self, photo: Pixels, part: Part, *, min_score: float) -> Found: ...


class Ssd:
    """face-api's `SsdMobilenetv1`. Boxes are cut off at the edges of the padded square."""

    def __init__(self, network: Network, spec: SsdSpec) -> None:
        self._network = network
        self._shapes = (spec.boxes, 4), (spec.boxes,)
        self.side, self.overlap = spec.side, spec.overlap

    def find(self, photo: Pixels, part: Part, *, min_score: float) -> Found:
        boxes, scores = self._network.run(sampled(photo, part, self.side)[None], *self._shapes)
        return found_by_ssd(boxes[0], scores[0], part, self, min_score=min_score)


class TinyYolo:
    """face-api's `TinyFaceDetector`. Boxes may reach outside the part."""

    def __init__(self, network: Network, spec: TinySpec) -> None:
        self._network = network
        self.side, self.overlap = spec.side, spec.overlap

    def find(self, photo: Pixels, part: Part, *, min_score: float) -> Found:
        cells = self.side // _CELL
        shape = len(_ANCHORS) * _OF_A_BOX, cells, cells
        (grid,) = self._network.run(sampled(photo, part, self.side)[None], shape)
        found = found_by_tiny(grid[0], part, self, min_score=min_score)
        if not (np.abs(found.boxes) <= _FARTHEST).all():
            raise WeightsMismatch(f"{self._network.name} returned an endless box for a photo")
        return found


def detector_of(row: ModelRow, networks: Networks) -> Detector:
    """Load the row's detector. Raises OutOfMemory if it does not fit."""
    network = networks.open("detection")
    if row.engine.name == "ssd":
        return Ssd(network, row.spec(SsdSpec))
    return TinyYolo(network, row.spec(TinySpec))


def found_by_ssd(
    boxes: Numbers, scores: Scores, part: Part, detector: Detector, *, min_score: float
) -> Found:
    """Return the faces of SSD's answer: boxes (top, left, bottom, right, of 1), and scores."""
    good = scores >= min_score
    sides, scores = boxes[good].astype(np.float64)[:, [1, 0, 3, 2]], scores[good]
    kept = distinct(sides, scores, overlap=detector.overlap)
    inside = np.clip(sides[kept], 0, 1)
    return _placed(inside, scores[kept], part, detector.side)


def found_by_tiny(grid: Numbers, part: Part, detector: Detector, *, min_score: float) -> Found:
    """Return the faces of the tiny detector's answer, 25×rows×columns. A box may be endless."""
    rows, columns = grid.shape[1:]
    numbers = grid.astype(np.float64).reshape(len(_ANCHORS), _OF_A_BOX, rows, columns)
    scores = _sigmoid(numbers[:, 4])
    anchor, row, column = np.nonzero(scores >= min_score)
    best = numbers[anchor, :4, row, column]
    cells = np.array([columns, rows])
    middle = (np.stack([column, row], axis=1) + _sigmoid(best[:, :2])) / cells
    with np.errstate(over="ignore"):
        half = np.exp(best[:, 2:]) * _ANCHORS[anchor] / cells / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1)
    taken = scores[anchor, row, column].astype(np.float32)
    kept = distinct(boxes, taken, overlap=detector.overlap)
    return _placed(boxes[kept], taken[kept], part, detector.side)


def _placed(boxes: Boxes, scores: Scores, part: Part, side: int) -> Found:
    """Convert boxes of the padded square, of 1, to pixels of the photo.

    face-api rounds the sides of the resized photo, so the shorter axis may be a pixel off in 512.
    Boxes outside the part, in its padding, are left out.
    """
    sizes = np.array([part.width, part.height])
    resized = np.floor(sizes * (side / part.longer) + 0.5)
    scale = np.tile(side / np.maximum(resized, 1) * sizes, 2)
    corner = np.array([part.left, part.top])
    placed = boxes * scale + np.tile(corner, 2)
    low, high = np.maximum(placed[:, :2], corner), np.minimum(placed[:, 2:], corner + sizes)
    seen = (high - low >= 1).all(axis=1)
    return Found(placed[seen], scores[seen])


def _sigmoid(values: Boxes) -> Boxes:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-values))
