"""Describe the faces that were found: landmarks, pose, and the attributes that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from containers.face_analyzer.attributes import estimate_ages, estimate_expressions
from containers.face_analyzer.boxes import Found
from containers.face_analyzer.landmarks import Points, box_around, crop_of, find_landmarks
from containers.face_analyzer.network import Networks
from containers.face_analyzer.pose import pose_of
from containers.face_analyzer.sampling import Part
from containers.face_analyzer.spec import Boxes
from pipeline.contracts.faces import Attribute, Box, Detection, Face
from pipeline.photo.pixels import Pixels

_DIGITS: Final = 4  # of pixels; a score has 7


def describe(
    found: Found, photo: Pixels, networks: Networks, attributes: Sequence[Attribute]
) -> tuple[Face, ...]:
    """Return the faces in their order. A network that is not needed is not loaded.

    A face whose landmarks are all outside the photo gets no attributes.
    """
    if not len(found.boxes):
        return ()
    crops = [crop for box in found.boxes if (crop := crop_of(box, photo))]
    points = find_landmarks(networks.open("landmarks"), photo, crops)
    faces = [
        Face(detection=_detection(box, float(score)), landmarks=_rounded(each), pose=pose_of(each))
        for box, score, each in zip(*found, points, strict=True)
    ]
    around = {at: crop for at, each in enumerate(points) if (crop := _around(each, photo))}
    for name in attributes:
        estimates = _estimated(name, networks, photo, tuple(around.values()))
        for at, estimate in zip(around, estimates, strict=True):
            faces[at] = faces[at].model_copy(update=estimate)
    return tuple(faces)


def without_landmarks(found: Found) -> tuple[Face, ...]:
    """Return faces of which only the boxes matter."""
    return tuple(
        Face(detection=_detection(box, float(score)), landmarks=())
        for box, score in zip(*found, strict=True)
    )


def _estimated(
    name: Attribute, networks: Networks, photo: Pixels, crops: Sequence[Part]
) -> list[dict[str, Any]]:
    if name == "expressions":
        network = networks.open("expressions")
        return [{name: each} for each in estimate_expressions(network, photo, crops)]
    network = networks.open("ages")
    return [{"age_and_gender": each} for each in estimate_ages(network, photo, crops)]


def _around(points: Points, photo: Pixels) -> Part | None:
    return crop_of(box_around(points), photo)


def _detection(box: Boxes, score: float) -> Detection:
    left, top, right, bottom = (float(side) for side in box)
    x, y, width, height = np.round((left, top, right - left, bottom - top), _DIGITS).tolist()
    return Detection(box=Box(x=x, y=y, width=width, height=height), score=round(score, 7))


def _rounded(points: Points) -> tuple[tuple[float, float], ...]:
    return tuple((x, y) for x, y in np.round(points, _DIGITS).tolist())
