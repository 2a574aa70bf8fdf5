"""Find faces and five points of each with MTCNN, in one photo.

Three networks follow each other: `pnet` proposes boxes on a pyramid of smaller photos, `rnet` drops
most of them, and `onet` decides, corrects, and finds the points. Numbers and order are those of
facenet-pytorch 2.6.0, but for boxes outside the photo: it fails on them, and they are dropped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple, Protocol

import numpy as np

from containers.face_embedder.areas import AreaTable, Windows
from containers.face_embedder.boxes import corrected, squared, suppress
from containers.face_embedder.spec import Boxes, Indices, Pixels, Points, Scores, Tensor
from pipeline.photo.pixels import Reserve, unlimited

LEAST_SIDE: Final = 20  # pixels of the smallest face
_FACTOR: Final = 0.709  # from one photo of the pyramid to the next
_CELL: Final = 12  # pixels: pnet looks at squares of this side
_STRIDE: Final = 2  # pixels: they are so far apart
_ENOUGH: Final = (0.6, 0.7, 0.7)  # probability that each network must see
_BATCH: Final = 32  # crops: larger ones leave the processor's caches
_TILE: Final = 256  # pixels of the sides that pnet takes at once: more leave the caches


class Run(Protocol):
    def __call__(self, pixels: Tensor) -> Sequence[Tensor]:
        """Return the network's outputs for pictures, n × 3 × height × width, 0…255."""


@dataclass(frozen=True)
class Mtcnn:
    pnet: Run
    rnet: Run
    onet: Run


class Found(NamedTuple):
    """A face: its box, its score (0…1), and eyes, nose and corners of the mouth.

    Of eyes and corners, that on the left of the picture is first.
    """

    box: Boxes  # (4,)
    score: float
    points: Points  # (5, 2)


def find_faces(photo: Pixels, networks: Mtcnn, *, reserve: Reserve = unlimited) -> list[Found]:
    """Return the faces of a photo (height × width × 3) by falling score."""
    height, width, _ = photo.shape
    if min(height, width) < LEAST_SIDE:
        return []
    table = AreaTable.of(photo, reserve=reserve)
    boxes = _proposed(table, networks.pnet)
    boxes = _refined(table, networks.rnet, boxes)
    return _decided(table, networks.onet, boxes)


def _proposed(table: AreaTable, pnet: Run) -> Boxes:
    scales = list(_scales(min(table.height, table.width)))
    levels = [_proposed_at(table, pnet, scale) for scale in scales]
    boxes, scores, offsets = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    kept = suppress(boxes, scores, 0.7)
    return squared(corrected(boxes[kept], offsets[kept], extra=0))


def _scales(side: int) -> Iterator[float]:
    scale = _CELL / LEAST_SIDE
    scaled = side * scale
    while scaled >= _CELL:
        yield scale
        scale, scaled = scale * _FACTOR, scaled * _FACTOR


def _proposed_at(table: AreaTable, pnet: Run, scale: float) -> tuple[Boxes, Scores, Tensor]:
    """Return boxes, scores and offsets from one photo of the pyramid, without the overlapping."""
    height, width = int(table.height * scale + 1), int(table.width * scale + 1)
    rows = Windows.of(0, table.height, height)
    columns = Windows.of(0, table.width, width)
    found = []
    for (top, bottom), (left, right) in product(_stretches(height), _stretches(width)):
        offsets, scores = pnet(table.scaled(rows.part(top, bottom), columns.part(left, right)))
        down, across = np.nonzero(scores[0] >= np.float32(_ENOUGH[0]))
        cells = np.stack([across + left // _STRIDE, down + top // _STRIDE], axis=1)
        found.append((cells, scores[0, down, across], offsets[0][:, down, across].T))
    cells, scores, offsets = (np.concatenate(parts) for parts in zip(*found, strict=True))
    corner = _STRIDE * cells.astype(np.float32)
    ends = [np.floor((corner + np.float32(end)) / np.float32(scale)) for end in (1, _CELL)]
    boxes: Boxes = np.concatenate(ends, axis=1)
    kept = suppress(boxes, scores, 0.5)
    return boxes[kept], scores[kept], offsets[kept]


def _stretches(length: int) -> Iterator[tuple[int, int]]:
    """Yield first and last of the stretches of rows or columns, of which tiles are made.

    Together they give pnet's answer for the whole. Each starts at an even pixel, and has what the
    squares that start in it look at. The last one has all that is left, because pnet pads an odd
    row or column.
    """
    beyond = _CELL - _STRIDE
    count = max(1, -(-(length - beyond) // (_TILE - beyond)))
    step = -(-(length - beyond) // (count * _STRIDE)) * _STRIDE
    for first in range(0, length - beyond, step):
        yield first, min(first + step + beyond, length)


def _refined(table: AreaTable, rnet: Run, boxes: Boxes) -> Boxes:
    boxes, (offsets, scores) = _judged(table, rnet, boxes, side=24, outputs=((4,), ()))
    passed = np.flatnonzero(scores > np.float32(_ENOUGH[1]))
    kept = passed[suppress(boxes[passed], scores[passed], 0.7)]
    return squared(corrected(boxes[kept], offsets[kept], extra=1))


def _decided(table: AreaTable, onet: Run, boxes: Boxes) -> list[Found]:
    boxes, answer = _judged(table, onet, boxes, side=48, outputs=((4,), (), (10,)))
    passed = answer[1] > np.float32(_ENOUGH[2])
    boxes, offsets, scores, shares = boxes[passed], *(each[passed] for each in answer)
    sizes = boxes[:, 2:] - boxes[:, :2] + np.float32(1)
    spread = shares.reshape(-1, 2, 5).transpose(0, 2, 1)  # the network gives all x, then all y
    points = sizes[:, None] * spread + boxes[:, None, :2] - np.float32(1)
    boxes = corrected(boxes, offsets, extra=1)
    kept = suppress(boxes, scores, 0.7, of="smaller")
    return [Found(boxes[i], float(scores[i]), points[i].astype(np.float64)) for i in kept]


def _judged(
    table: AreaTable, network: Run, boxes: Boxes, *, side: int, outputs: Sequence[tuple[int, ...]]
) -> tuple[Boxes, list[Tensor]]:
    """Return the boxes that touch the photo, and the network's outputs for their crops."""
    first, last = _inside(boxes, table)
    touching = (last > first).all(axis=1)
    boxes, first, last = boxes[touching], first[touching], last[touching]
    order = np.argsort((last - first).max(axis=1), kind="stable")  # batches of similar sizes
    first, last = first[order], last[order]
    rows = Windows.of(first[:, 1], last[:, 1] - first[:, 1], side)
    columns = Windows.of(first[:, 0], last[:, 0] - first[:, 0], side)
    answers = [[np.zeros((0, *shape), np.float32) for shape in outputs]]
    for start in range(0, len(boxes), _BATCH):
        some = slice(start, start + _BATCH)
        crops = table.cropped(
            Windows(rows.start[some], rows.end[some]),
            Windows(columns.start[some], columns.end[some]),
        )
        answers.append(list(network(crops)))
    back = np.argsort(order)
    return boxes, [np.concatenate(parts)[back] for parts in zip(*answers, strict=True)]


def _inside(boxes: Boxes, table: AreaTable) -> tuple[Indices, Indices]:
    """Return the first column and row of each box in the photo, and those after its last."""
    whole = np.trunc(boxes).astype(np.intp)
    size = np.array([table.width, table.height], np.intp)
    return np.maximum(whole[:, :2], 1) - 1, np.minimum(whole[:, 2:], size)
