"""Link the voices of a recording's parts that are one person.

Agglomerative clustering: the two closest people become one, again and again. How close two people
are is the cosine distance of the sums of their centroids, weighted by seconds of speech. Two voices
of one part are never the same person (cannot-link).

On made voices (20 parts; drifting, often absent, or late), this linkage gave less speech to the
wrong person than average linkage, and less than optimal assignment part by part. There, one short
and noisy voice in the first part harms all later parts.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final, NamedTuple

_LEAST_WEIGHT: Final = 0.1  # seconds; least weight of a voice
_TINY: Final = 0.02  # share of all speech; less is likely to be noise or laughter


class Voice(NamedTuple):
    """A speaker of one part. `centroid` has length 1."""

    part: int
    centroid: Sequence[float]
    speech_s: float


def link(voices: Sequence[Voice], *, below: float, least: int, most: int | None) -> list[int]:
    """Return a number for each voice: the same for voices that are one person.

    Voices closer than `below` (cosine distance, 0…2) are linked while more than `least` people are
    left. If more than `most` are left then, those who speak for a tiny share of the time are given
    to others, voice by voice. Then the closest people are linked, however far apart they are. No
    part may have more voices than `most`.
    """
    people = _People(voices)
    while len(people) > least and people.link_closest(below):
        pass
    while most is not None and len(people) > most:
        if people.has_tiny or not people.link_closest(math.inf):
            people.dissolve_lightest()
    return people.numbers()


@dataclass(frozen=True, slots=True)
class _Person:
    voices: tuple[int, ...]
    parts: frozenset[int]
    length: float  # of the weighted sum of centroids
    seconds: float


class _People:
    def __init__(self, voices: Sequence[Voice]) -> None:
        self._voices = voices
        weighted = [
            [value * max(voice.speech_s, _LEAST_WEIGHT) for value in voice.centroid]
            for voice in voices
        ]
        self._products: list[list[float]] = [
            [sum(map(mul, one, other)) for other in weighted] for one in weighted
        ]
        self._people: dict[int, _Person] = {}
        self._pairs: list[tuple[float, int, int]] = []  # a heap; may name people who are linked
        self._made = 0
        for voice in range(len(voices)):
            self._add((voice,))

    def __len__(self) -> int:
        return len(self._people)

    @property
    def has_tiny(self) -> bool:
        seconds = [person.seconds for person in self._people.values()]
        return min(seconds) < _TINY * sum(seconds)

    def link_closest(self, below: float) -> bool:
        """Make the two closest people one; return False if none may be linked."""
        while self._pairs and self._pairs[0][0] < below:
            _, first, second = heapq.heappop(self._pairs)
            if first in self._people and second in self._people:
                one, other = self._people.pop(first), self._people.pop(second)
                self._add((*one.voices, *other.voices))
                return True
        return False

    def dissolve_lightest(self) -> None:
        """Give each voice of the person who speaks least to the closest person not in its part."""
        lightest = min(self._people, key=lambda each: self._people[each].seconds)
        for voice in self._people.pop(lightest).voices:
            alone = self._person((voice,))
            free = [each for each in self._people if not alone.parts & self._people[each].parts]
            closest = min(free, key=lambda each: self._distance(alone, self._people[each]))
            self._add((*self._people.pop(closest).voices, voice))

    def numbers(self) -> list[int]:
        """Return the person of each voice."""
        found = {voice: who for who, person in self._people.items() for voice in person.voices}
        return [found[voice] for voice in range(len(self._voices))]

    def _add(self, voices: tuple[int, ...]) -> None:
        person = self._person(voices)
        for who, other in self._people.items():
            if not person.parts & other.parts:
                heapq.heappush(self._pairs, (self._distance(person, other), who, self._made))
        self._people[self._made] = person
        self._made += 1

    def _person(self, voices: tuple[int, ...]) -> _Person:
        return _Person(
            voices=voices,
            parts=frozenset(self._voices[each].part for each in voices),
            length=math.sqrt(max(self._product(voices, voices), 0.0)),
            seconds=sum(self._voices[each].speech_s for each in voices),
        )

    def _distance(self, one: _Person, other: _Person) -> float:
        lengths = one.length * other.length
        return 1 - self._product(one.voices, other.voices) / lengths if lengths else 1.0

    def _product(self, first: Sequence[int], second: Sequence[int]) -> float:
        return sum(self._products[one][other] for one in first for other in second)
