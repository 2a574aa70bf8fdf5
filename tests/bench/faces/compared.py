"""How far two lists of faces of one photo are apart.

A face is what the peers' programs print: `box` (left, top, width, height in pixels), `score`, and,
where it was asked for, `landmarks`, `expressions`, `age`, `gender`, `gender_probability` and
`descriptor`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Face = Mapping[str, Any]
Numbers = npt.NDArray[np.float64]


@dataclass
class Differences:
    """The largest differences over photos; `paired` faces were compared.

    Boxes and landmarks are in pixels, ages in years, vectors a distance of unit vectors.
    `other_counts` are the names of photos with another number of faces.
    """

    paired: int = 0
    other_counts: list[str] = field(default_factory=list)
    other_genders: int = 0
    largest: dict[str, float] = field(default_factory=dict)

    def add(self, photo: str, ours: Sequence[Face], theirs: Sequence[Face]) -> None:
        """Compare two lists: of a photo with another number of faces, those that overlap."""
        if len(ours) != len(theirs):
            self.other_counts.append(photo)
        for mine, other in pairs(ours, theirs):
            self.paired += 1
            self._note("box", _farthest(mine["box"], other["box"]))
            self._note("score", abs(mine["score"] - other["score"]))
            for name in ("landmarks", "age"):
                if other.get(name) is not None:
                    self._note(name, _farthest(mine[name], other[name]))
            if other.get("expressions"):
                names = sorted(other["expressions"])
                given = ([face["expressions"][name] for name in names] for face in (mine, other))
                self._note("probability", _farthest(*given))
            if other.get("gender"):
                male = (_male(face) for face in (mine, other))
                self._note("probability", _farthest(*male))
                self.other_genders += mine["gender"] != other["gender"]
            if mine.get("descriptor") and other.get("descriptor"):
                apart = unit(mine["descriptor"]) - unit(other["descriptor"])
                self._note("descriptor", float(np.linalg.norm(apart)))

    def _note(self, name: str, value: float) -> None:
        self.largest[name] = max(self.largest.get(name, 0.0), value)


def pairs(ours: Sequence[Face], theirs: Sequence[Face]) -> list[tuple[Face, Face]]:
    """Return faces whose boxes overlap by more than half, each at most once, by falling overlap."""
    shares = sorted(
        ((overlap(mine["box"], other["box"]), i, j)
         for i, mine in enumerate(ours) for j, other in enumerate(theirs)),
        reverse=True,
    )  # fmt: skip
    found: dict[int, int] = {}
    for share, i, j in shares:
        if share > 0.5 and i not in found and j not in found.values():
            found[i] = j
    return [(ours[i], theirs[j]) for i, j in found.items()]


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the intersection over union of two boxes (left, top, width, height)."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def unit(vector: Sequence[float]) -> Numbers:
    """Return a vector with length 1."""
    values = np.asarray(vector, np.float64)
    return values / np.linalg.norm(values)


def _male(face: Face) -> float:
    """Return the probability of "male": both sides give that of the likelier gender."""
    probability: float = face["gender_probability"]
    return probability if face["gender"] == "male" else 1 - probability


def _farthest(one: Any, other: Any) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).max())
