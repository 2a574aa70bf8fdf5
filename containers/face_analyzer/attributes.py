"""Estimate the expression of faces, and age and gender, in crops around their landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from containers.face_analyzer.landmarks import answers
from containers.face_analyzer.network import Network
from containers.face_analyzer.sampling import Part
from pipeline.contracts.faces import AgeAndGender
from pipeline.photo.pixels import Pixels

# The order of the network's answers. Source: face-api's FaceExpressions.ts.
EXPRESSIONS: Final = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")

_EVEN: Final = 0.5
_DIGITS: Final = 7


def estimate_expressions(
    network: Network, photo: Pixels, crops: Sequence[Part]
) -> list[dict[str, float]]:
    """Return the probability of each expression, for each crop."""
    return [
        dict(zip(EXPRESSIONS, (round(float(one), _DIGITS) for one in row), strict=True))
        for (probabilities,) in answers(network, photo, crops, len(EXPRESSIONS))
        for row in probabilities
    ]


def estimate_ages(network: Network, photo: Pixels, crops: Sequence[Part]) -> list[AgeAndGender]:
    """Return age in years and gender, for each crop."""
    return [
        _estimated(float(age), float(male))
        for ages, genders in answers(network, photo, crops, 1, 2)
        for (age,), (male, _) in zip(ages, genders, strict=True)
    ]


def _estimated(age: float, male: float) -> AgeAndGender:
    return AgeAndGender(
        age=round(age, 4),
        gender="male" if male > _EVEN else "female",
        gender_probability=round(max(male, 1 - male), _DIGITS),
    )
