"""Of equal ids in several segments the newest living row counts, and no rule's row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from containers.vector_index.backends.living import not_ruled_out, of_person
from containers.vector_index.stored.digests import object_digest, person_digest
from containers.vector_index.stored.rows import Fact, NewRow, Rows
from containers.vector_index.stored.tombstones import Rule, Rules

ID = "c" * 32


def part(keys: Sequence[str], *, at: Sequence[int] | int = 100, person: str | None = None) -> Rows:
    times = [at] * len(keys) if isinstance(at, int) else at
    new = [
        NewRow(
            fact=Fact(
                person=person, bucket="b", key=key, version_id=None, sha256="00", subject=0,
                box=None, score=None,
            ),
            enrolled_at=time,
            asked_at=time,
        )
        for key, time in zip(keys, times, strict=True)
    ]  # fmt: skip
    return Rows.made(ID, "w", np.full((len(keys), 4), 0.5, np.float32), new)


def alive(parts: Sequence[Rows], rules: Rules | None = None) -> list[list[bool]]:
    return [mask.tolist() for mask in not_ruled_out(parts, rules or Rules())]


def rule(key: str, at: int) -> Rules:
    return Rules.of([Rule(kind="object", digest=object_digest("b", key).hex(), at=at)])


@pytest.mark.parametrize("parts", [[], [part(["a", "b"])], [part(["a"]), part(["b", "c"])]])
def test_rows_with_different_ids_all_count(parts: list[Rows]) -> None:
    assert alive(parts) == [[True] * len(each) for each in parts]


def test_the_newest_of_equal_ids_counts() -> None:
    parts = [part(["a", "b"], at=200), part(["b", "a"], at=[100, 300]), part(["a"], at=150)]

    assert alive(parts) == [[False, True], [False, True], [False]]


def test_of_equal_ids_and_times_the_last_segments_counts() -> None:
    assert alive([part(["a"]), part(["a"]), part(["a"])]) == [[False], [False], [True]]


def test_a_dead_row_hides_no_living_one_of_its_id() -> None:
    """It was enrolled after the forgetting, but asked for before: then it is dead, too."""
    older, newer = part(["a", "x"], at=300), part(["a"], at=100)

    assert alive([older, newer], rule("a", 200)) == [[True, True], [False]]
    assert alive([older, newer], rule("a", 300)) == [[False, True], [False]]


def test_rows_of_half_an_equal_id_both_count() -> None:
    one, other = part(["a"]), part(["b"])
    ids = other.ids.copy()
    ids[0, :8] = one.ids[0, :8]
    alike = replace(other, ids=ids)

    assert alive([one, alike]) == [[True], [True]]


def test_the_rows_of_a_person_are_those_with_its_digest() -> None:
    rows = Rows.joined([part(["a"], person="ann"), part(["b"]), part(["c"], person="ben")])

    assert of_person(rows, person_digest(ID, "ben")).tolist() == [False, False, True]
    assert of_person(rows, person_digest(ID, "cleo")).tolist() == [False] * 3
