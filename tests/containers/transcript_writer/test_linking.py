"""Voices of different parts are one person where they are close, and never within a part."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from containers.transcript_writer.linking import Voice, link

BELOW = 0.5


def unit(vector: Sequence[float]) -> tuple[float, ...]:
    length = math.hypot(*vector)
    return tuple(value / length for value in vector)


def towards(degrees: float) -> tuple[float, float]:
    """A voice on the unit circle: 60 degrees apart is a distance of 0.5."""
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def grouped(
    voices: Sequence[Voice], *, below: float = BELOW, least: int = 1, most: int | None = None
) -> set[frozenset[int]]:
    """Return the voices of each person."""
    people = link(voices, below=below, least=least, most=most)
    return {
        frozenset(at for at, each in enumerate(people) if each == person) for person in set(people)
    }


def people_of(*of: Sequence[int]) -> set[frozenset[int]]:
    return {frozenset(each) for each in of}


class Cast:
    """People with voices of 64 numbers that drift, heard for a while in some of the parts."""

    def __init__(self, seed: int, people: int, *, drift: float = 0.0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - made voices, the same every time
        self._voices = [self._direction() for _ in range(people)]
        self._drifts = [[drift * value for value in self._direction()] for _ in range(people)]
        self.voices: list[Voice] = []
        self.speaks: list[int] = []

    def hears(self, person: int, part: int, *, seconds: float = 60.0) -> None:
        noise = [0.6 * value for value in self._direction()]
        heard = [
            voice + part / 20 * drift + other
            for voice, drift, other in zip(
                self._voices[person], self._drifts[person], noise, strict=True
            )
        ]
        self.voices.append(Voice(part, unit(heard), seconds))
        self.speaks.append(person)

    @property
    def expected(self) -> set[frozenset[int]]:
        return {
            frozenset(at for at, each in enumerate(self.speaks) if each == person)
            for person in set(self.speaks)
        }

    def _direction(self) -> tuple[float, ...]:
        return unit([self._random.gauss(0, 1) for _ in range(64)])


def test_voices_closer_than_the_threshold_are_one_person() -> None:
    near = [Voice(0, towards(0), 60), Voice(1, towards(59), 60)]
    far = [Voice(0, towards(0), 60), Voice(1, towards(61), 60)]

    assert grouped(near) == people_of([0, 1])
    assert grouped(far) == people_of([0], [1])


def test_two_voices_of_one_part_are_never_one_person() -> None:
    twins = [Voice(0, towards(0), 60), Voice(0, towards(1), 60), Voice(1, towards(0.8), 60)]

    assert grouped(twins) == people_of([0], [1, 2])


def test_a_person_is_linked_over_parts_in_which_nobody_hears_them() -> None:
    for seed in range(20):
        cast = Cast(seed, 4)
        for part in range(20):
            cast.hears(0, part)
            for person in (1, 2, 3):
                if part % 7 == person:
                    cast.hears(person, part)

        assert grouped(cast.voices) == cast.expected, seed


def test_a_voice_that_drifts_stays_one_person() -> None:
    """From the first to the last part, each voice turns by 45 degrees."""
    for seed in range(20):
        cast = Cast(seed, 4, drift=1.0)
        for part in range(20):
            for person in range(4):
                cast.hears(person, part)

        assert grouped(cast.voices) == cast.expected, seed


def test_a_person_who_comes_late_is_a_new_one() -> None:
    for seed in range(20):
        cast = Cast(seed, 5)
        for part in range(12):
            for person in range(4 if part < 10 else 5):
                cast.hears(person, part)

        assert grouped(cast.voices) == cast.expected, seed


def test_a_short_and_doubtful_voice_at_the_start_does_not_harm_those_that_follow() -> None:
    voices = [
        Voice(0, towards(40), 2),  # between two people
        Voice(1, towards(0), 900),
        Voice(1, towards(80), 900),
        Voice(2, towards(0), 900),
        Voice(2, towards(78), 900),
    ]

    assert grouped(voices) >= people_of([1, 3]) or grouped(voices) == people_of([0, 1, 3], [2, 4])
    assert all({1, 2} - group and {3, 4} - group for group in grouped(voices))


def test_long_speech_counts_for_more_than_short_speech() -> None:
    """The first two are one person at 1 degree, not at 19: too far from the third one."""
    voices = [Voice(0, towards(0), 900), Voice(1, towards(38), 30), Voice(2, towards(78), 900)]

    assert grouped(voices) == people_of([0, 1], [2])


def test_no_more_are_linked_than_leaves_the_least() -> None:
    voices = [Voice(part, towards(10 * part**2), 60) for part in range(4)]

    assert grouped(voices, below=1.5) == people_of([0, 1, 2, 3])
    assert grouped(voices, below=1.5, least=2) == people_of([0, 1, 2], [3])
    assert len(grouped(voices, below=1.5, least=9)) == 4


def test_the_closest_people_are_linked_until_most_are_left() -> None:
    voices = [Voice(part, towards(degrees), 60) for part, degrees in enumerate((0, 75, 170, 292))]

    assert len(grouped(voices)) == 4
    assert grouped(voices, most=3) == people_of([0, 3], [1], [2])
    assert grouped(voices, most=1) == people_of([0, 1, 2, 3])


def test_who_hardly_speaks_is_dissolved_before_people_are_linked_but_only_if_most_demands_it() -> (
    None
):
    people = [
        *(Voice(part, towards(0), 600) for part in range(3)),
        *(Voice(part, towards(65), 600) for part in range(3, 6)),
        Voice(6, towards(160), 20),
    ]

    assert grouped(people) == people_of([0, 1, 2], [3, 4, 5], [6])
    assert grouped(people, most=2) == people_of([0, 1, 2], [3, 4, 5, 6])


def test_most_is_met_even_where_people_share_parts() -> None:
    """A, B and C are each heard in two of three parts, so no two of them can be linked whole."""
    voices = [
        Voice(0, towards(0), 600), Voice(1, towards(0), 600),
        Voice(0, towards(120), 600), Voice(2, towards(120), 600),
        Voice(1, towards(240), 300), Voice(2, towards(240), 300),
    ]  # fmt: skip

    assert len(grouped(voices)) == 3
    assert grouped(voices, most=2) == people_of([0, 1, 5], [2, 3, 4])


def test_nobody_is_linked_to_nobody() -> None:
    assert link([], below=0.5, least=2, most=3) == []


@given(st.data())
def test_every_limit_holds_at_once(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=5))
    degrees, seconds = st.floats(0, 360), st.floats(0, 900)
    voices = [
        Voice(part, towards(data.draw(degrees)), data.draw(seconds))
        for part, size in enumerate(sizes)
        for _ in range(size)
    ]
    least = data.draw(st.integers(1, 6))
    most = data.draw(st.none() | st.integers(max(*sizes, 1, least), 8))

    people = link(voices, below=data.draw(st.floats(0, 2)), least=least, most=most)

    assert len(set(people)) >= min(least, len(voices))
    assert most is None or len(set(people)) <= most
    for (one, first), (other, second) in combinations(zip(voices, people, strict=True), 2):
        assert first != second or one.part != other.part
