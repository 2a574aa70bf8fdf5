"""Blocks of vectors answer what NumPy says in double precision, but for dead rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import faiss
import numpy as np
import numpy.typing as npt
import pytest

from containers.vector_index.comparing import blocks
from containers.vector_index.comparing.arrays import bitmap
from containers.vector_index.comparing.blocks import Block, Neighbour, Wanted, nearest
from containers.vector_index.comparing.flat import Flat
from containers.vector_index.comparing.hnsw import Hnsw
from containers.vector_index.comparing.ivf import Ivf
from containers.vector_index.stored.rows import Codes
from tests.containers.vector_index.faces import people

Make = Callable[[Codes], Block]


def flat(codes: Codes) -> Block:
    return Flat.of(codes)


def ivf(codes: Codes) -> Block:
    return Ivf.of(codes, effort=4, threads=1)


def hnsw(codes: Codes) -> Block:
    return Hnsw.of(codes, effort=64, threads=1)


KINDS = pytest.mark.parametrize("kind", [flat, ivf, hnsw], ids=["flat", "ivf", "hnsw"])


def expected(
    queries: npt.NDArray[np.float32], codes: Codes, alive: npt.NDArray[np.bool_], k: int
) -> list[list[int]]:
    similar = queries.astype(np.float64) @ codes.astype(np.float64).T
    similar[:, ~alive] = -np.inf
    order = np.argsort(-similar, axis=1, kind="stable")
    return [list(map(int, rows[: min(k, int(alive.sum()))])) for rows in order]


def rows(found: Sequence[Sequence[Neighbour]]) -> list[list[int]]:
    return [[each.row for each in one] for one in found]


def everything(count: int) -> npt.NDArray[np.bool_]:
    return np.ones(count, bool)


@pytest.mark.parametrize("dimension", [16, 128, 512])
@pytest.mark.parametrize("queries", [1, 7])
@pytest.mark.parametrize("count", [1, 3, 1000])
@KINDS
def test_the_nearest_rows_are_those_that_double_precision_finds(
    kind: Make, count: int, queries: int, dimension: int
) -> None:
    codes = people(count, 1, dimension).astype(np.float16)
    asked = people(queries, 1, dimension, seed=2)
    alive = everything(count)

    found = nearest(Wanted(asked, 20, exact=True), [kind(codes)], [bitmap(alive)], threads=1)

    assert rows(found) == expected(asked, codes, alive, 20)


@KINDS
def test_similarities_are_cosines(kind: Make) -> None:
    codes = people(300, 1, 128).astype(np.float16)
    asked = people(3, 1, 128, seed=2)

    found = nearest(
        Wanted(asked, 300, exact=True), [kind(codes)], [bitmap(everything(300))], threads=1
    )

    exact = asked.astype(np.float64) @ codes.astype(np.float64).T
    for query, neighbours in enumerate(found):
        assert [each.similarity for each in neighbours] == pytest.approx(
            [exact[query, each.row] for each in neighbours], abs=1e-6
        )


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "approximate"])
@KINDS
def test_dead_rows_are_never_found(kind: Make, *, exact: bool) -> None:
    codes = people(200, 10, 128).astype(np.float16)
    alive = np.random.default_rng(3).random(2000) < 0.7
    block, allowed = kind(codes), bitmap(alive)

    found = nearest(
        Wanted(codes[::20].astype(np.float32), 20, exact=exact), [block], [allowed], threads=1
    )

    assert alive[[row for one in rows(found) for row in one]].all()
    assert all(len(one) == 20 for one in found)


@KINDS
def test_one_living_row_is_found_among_thousands_of_dead(kind: Make) -> None:
    codes = people(3000, 1, 128).astype(np.float16)
    alive = np.arange(3000) == 1234

    found = nearest(
        Wanted(people(1, 1, 128, seed=9), 5, exact=True),
        [kind(codes)],
        [bitmap(alive)],
        threads=1,
    )

    assert rows(found) == [[1234]]


@pytest.mark.parametrize("k", [1, 5, 100])
def test_many_blocks_answer_as_one_does(k: int) -> None:
    codes = people(100, 10, 128).astype(np.float16)
    asked = people(5, 1, 128, seed=2)
    starts = [0, 1, 400, 407, 1000]
    parts = [codes[start:end] for start, end in zip(starts, [*starts[1:], 1000], strict=True)]
    alive = np.random.default_rng(4).random(1000) < 0.8

    found = nearest(
        Wanted(asked, k),
        [Flat.of(part) for part in parts],
        [bitmap(alive[at : at + len(part)]) for at, part in zip(starts, parts, strict=True)],
        threads=1,
    )

    whole = [[starts[each.block] + each.row for each in one] for one in found]
    assert whole == expected(asked, codes, alive, k)


def test_of_equal_rows_the_first_blocks_is_first() -> None:
    codes = people(1, 1, 128).astype(np.float16)
    block = Flat.of(codes)

    (found,) = nearest(
        Wanted(codes.astype(np.float32), 3),
        [block, block],
        [bitmap(everything(1))] * 2,
        threads=1,
    )

    assert [each.block for each in found] == [0, 1]


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_nothing_is_found_among_nothing(blocks: int) -> None:
    empty = Flat.of(np.zeros((0, 128), np.float16))

    found = nearest(
        Wanted(people(2, 1, 128), 20),
        [empty] * blocks,
        [bitmap(everything(0))] * blocks,
        threads=1,
    )

    assert found == [[], []]


def test_similarities_never_leave_the_range_of_a_cosine() -> None:
    codes = people(500, 1, 128).astype(np.float16)  # rounding makes many of them longer than 1

    found = nearest(
        Wanted(codes.astype(np.float32), 1),
        [Flat.of(codes)],
        [bitmap(everything(500))],
        threads=1,
    )

    assert (np.linalg.norm(codes.astype(np.float64), axis=1) > 1).any()
    assert max(each.similarity for (each,) in found) == 1


@pytest.mark.parametrize("threads", [2, 3, 16])
@KINDS
def test_threads_change_nothing(kind: Make, threads: int) -> None:
    codes = people(500, 10, 128).astype(np.float16)
    wanted = Wanted(people(20, 1, 128, seed=2), 20)
    block, allowed = kind(codes), bitmap(everything(5000))

    several = nearest(wanted, [block], [allowed], threads=threads)

    assert several == nearest(wanted, [block], [allowed], threads=1)


@pytest.mark.parametrize(
    ("queries", "rows", "most", "used"),
    [
        (1, 2_000_000, 6, 1),
        (20, 100_000, 1, 1),
        (20, 100_000, 6, 6),
        (2, 100_000, 6, 2),
        (20, 20, 6, 1),
    ],
    ids=["one query", "one thread", "a batch", "two queries", "few rows"],
)
def test_only_a_large_batch_has_many_threads(queries: int, rows: int, most: int, used: int) -> None:
    wanted = Wanted(np.zeros((queries, 512), np.float32), 20)

    assert blocks._threads(wanted, rows, most) == used


def test_faiss_is_told_how_many_threads_to_use() -> None:
    codes = people(10_000, 1, 512).astype(np.float16)

    nearest(
        Wanted(people(20, 1, 512), 5), [Flat.of(codes)], [bitmap(everything(10_000))], threads=3
    )

    assert faiss.omp_get_max_threads() == 3


@pytest.mark.parametrize("kind", [ivf, hnsw], ids=["ivf", "hnsw"])
def test_an_exact_search_skips_no_row_of_an_index(kind: Make) -> None:
    codes = people(3000, 1, 128).astype(np.float16)
    asked = people(100, 1, 128, seed=2)
    block, allowed, alive = kind(codes), bitmap(everything(3000)), everything(3000)

    exact = nearest(Wanted(asked, 5, exact=True), [block], [allowed], threads=1)
    quick = nearest(Wanted(asked, 5), [block], [allowed], threads=1)

    assert rows(exact) == expected(asked, codes, alive, 5)
    assert rows(quick) != rows(exact)


def test_a_graph_keeps_as_many_rows_as_are_wanted() -> None:
    """faiss fills up with whatever it came past, if it keeps fewer."""
    codes = people(3000, 1, 64).astype(np.float16)
    graph, wanted = Hnsw.of(codes, effort=8, threads=1), Wanted(people(20, 1, 64, seed=2), 100)

    few, many = (
        nearest(wanted, [replace(graph, effort=effort)], [bitmap(everything(3000))], threads=1)
        for effort in (8, 100)
    )

    assert few == many


def test_a_block_with_few_rows_takes_no_place_from_others() -> None:
    codes = people(1, 1, 128)
    near, far = Flat.of(codes.astype(np.float16)), Flat.of(-codes.astype(np.float16).repeat(2, 0))

    (found,) = nearest(
        Wanted(2 * codes, 3), [near, far], [bitmap(everything(1)), bitmap(everything(2))], threads=1
    )

    assert [(each.similarity, each.block) for each in found] == [(1, 0), (-1, 1), (-1, 1)]


@pytest.mark.parametrize("kind", [ivf, hnsw], ids=["ivf", "hnsw"])
def test_approximate_blocks_find_the_same_person(kind: Make) -> None:
    codes = people(500, 10, 128).astype(np.float16)
    asked = codes[::10].astype(np.float32)

    found = nearest(Wanted(asked, 10), [kind(codes)], [bitmap(everything(5000))], threads=1)

    same = [each.row // 10 == query for query, one in enumerate(found) for each in one]
    assert np.mean(same) > 0.9


def test_lists_are_the_same_every_time() -> None:
    codes = people(200, 10, 128).astype(np.float16)
    wanted = Wanted(people(20, 1, 128, seed=2), 20)

    first, second = (
        nearest(wanted, [ivf(codes)], [bitmap(everything(2000))], threads=1) for _ in range(2)
    )

    assert first == second
