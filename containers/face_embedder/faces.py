"""The faces that are considered: where each comes from, and why some get no vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from containers.face_embedder.boxes import overlaps
from containers.face_embedder.mtcnn import Found
from containers.face_embedder.spec import Boxes, EmbedderSpec, Points
from pipeline.contracts.faces import Box, Detection, FacesDocument

_SAME_FACE: Final = 0.5  # share of the union of two boxes that is in both


class Candidate(NamedTuple):
    """A face. `face` is its index in `_faces.json`, null if only the embedder's detector found it.

    `rejected` says why it gets no vector.
    """

    face: int | None
    detection: Detection
    points: Points
    rejected: str | None = None


def analysed(document: FacesDocument) -> list[Candidate]:
    """Return the faces of `_faces.json`, in its order."""
    return [
        Candidate(index, face.detection, np.array(face.landmarks))
        for index, face in enumerate(document.faces)
    ]


def matched(found: Sequence[Found], document: FacesDocument) -> list[Candidate]:
    """Return the found faces, in their order, each with its face of `_faces.json`.

    Two boxes are one face's if they overlap by half; those that overlap most are paired first. Then
    come the faces of `_faces.json` that were not found.
    """
    known = analysed(document)
    one = np.array([each.box for each in found], np.float32).reshape(-1, 4)
    other = np.array([_sides(each.detection.box) for each in known], np.float32).reshape(-1, 4)
    pairs = _paired(overlaps(one, other))
    candidates = [
        Candidate(pairs.get(index), Detection(box=_box(each.box), score=each.score), each.points)
        for index, each in enumerate(found)
    ]
    why = "the detector of the embedder does not find it"
    missed = [each for each in known if each.face not in pairs.values()]
    return [*candidates, *(each._replace(rejected=why) for each in missed)]


def judged(candidate: Candidate, spec: EmbedderSpec) -> Candidate:
    """Return the face with the reason to reject it, if its row has one."""
    box, score = candidate.detection.box, candidate.detection.score
    if candidate.rejected:
        return candidate
    if score < spec.least_score:
        return candidate._replace(rejected=f"its score is below {spec.least_score}")
    if min(box.width, box.height) < spec.least_side:
        return candidate._replace(rejected=f"a side is shorter than {spec.least_side} pixels")
    return candidate


def _paired(shares: Boxes) -> dict[int, int]:
    pairs: dict[int, int] = {}
    for flat in np.argsort(-shares, axis=None, kind="stable"):
        one, other = (int(each) for each in np.unravel_index(flat, shares.shape))
        if shares[one, other] < _SAME_FACE:
            break
        if one not in pairs and other not in pairs.values():
            pairs[one] = other
    return pairs


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.x + box.width, box.y + box.height


def _box(sides: Boxes) -> Box:
    left, top, right, bottom = (float(each) for each in sides)
    return Box(x=left, y=top, width=right - left, height=bottom - top)
