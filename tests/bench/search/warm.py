"""A warm search next to bare faiss, and to what people write without a collection.

They take turns in one process, with one thread each unless it says otherwise. A warm search is the
whole task on a folder as store: read the query's file, ask for the head, compare, look the matches
up, store the audit record. Bare faiss compares the same codes with nothing around it. Media2Cloud
builds an index of single precision for each request.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import faiss
import numpy as np

from containers.vector_index.searching.searching import search_vectors
from pipeline.parallel import sharing
from tests.bench.figures import Figures
from tests.bench.search.made import DIMENSION, Vectors, faces, shelf

_SIZES: Final = (10_000, 100_000)
_ROUNDS: Final = 100
_SLOW_ROUNDS: Final = 10  # of Media2Cloud's way, which takes ten times as long
_K: Final = 20
_MOST: Final = 1.5  # of bare faiss
_BATCH: Final = 20


class Times(NamedTuple):
    """Medians of a round, in ms."""

    wall: float
    cpu: float


def main() -> None:
    for count in _SIZES:
        with tempfile.TemporaryDirectory() as name:
            _one_size(Path(name), count)


def _one_size(folder: Path, count: int) -> None:
    made, asked = shelf(folder, count)
    stored = faces(count, seed=0)[0]
    bare = _bare(stored)
    jobs = [made.job(query[None], threshold=-1) for query in asked[:_ROUNDS]]
    strict = [made.job(query[None]) for query in asked[:_ROUNDS]]
    batch = made.job(asked[:_BATCH], threshold=-1)

    def ours(number: int) -> None:
        search_vectors(jobs[number], made.context)

    def matching(number: int) -> None:
        search_vectors(strict[number], made.context)

    def faiss_alone(number: int) -> None:
        bare.search(asked[number : number + 1], _K)

    def twenty(_: int) -> None:
        search_vectors(batch, made.context)

    def twenty_bare(_: int) -> None:
        bare.search(asked[:_BATCH], _K)

    def numpy_alone(number: int) -> None:
        similar = stored @ asked[number]
        np.argpartition(-similar, _K)[:_K]

    def rebuilt(number: int) -> None:
        index = faiss.IndexFlatIP(DIMENSION)
        index.add(stored)
        index.search(asked[number : number + 1], _K)

    with sharing(1):
        alone = _in_turns(
            {"ours": ours, "matching": matching, "bare": faiss_alone, "numpy": numpy_alone}, _ROUNDS
        )
        many = _in_turns({"ours": twenty, "bare": twenty_bare}, _SLOW_ROUNDS)
        peers = _in_turns({"rebuilt": rebuilt}, _SLOW_ROUNDS)
    with sharing(2):
        two = _in_turns({"ours": twenty}, _SLOW_ROUNDS)
    figures = Figures(f"A warm search among {count:,} × 512, ms", peer="bare faiss")
    _add(figures, "20 nearest of one query", alone["ours"], alone["bare"])
    _add(figures, "matches of one query", alone["matching"], alone["bare"])
    _add(figures, f"{_BATCH} queries", many["ours"], many["bare"])
    figures.add(f"  {_BATCH} queries, two threads, on the clock", f"{two['ours'].wall:.2f}")
    figures.add("NumPy, single precision", "", f"{alone['numpy'].cpu:.2f}")
    figures.add("Media2Cloud's way, CPU", "", f"{peers['rebuilt'].cpu:.2f}")
    figures.show()


def _add(figures: Figures, name: str, ours: Times, bare: Times) -> None:
    figures.add(name, f"{ours.wall:.2f}", f"{bare.wall:.2f}")
    figures.at_most("  ÷ bare faiss, on the clock", ours.wall / bare.wall, _MOST, form=".2f")
    figures.at_most("  ÷ bare faiss, processor", ours.cpu / bare.cpu, _MOST, form=".2f")


def _bare(stored: Vectors) -> faiss.IndexScalarQuantizer:
    index = faiss.IndexScalarQuantizer(
        DIMENSION, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.add(stored)
    return index


def _in_turns(runs: Mapping[str, Callable[[int], None]], rounds: int) -> dict[str, Times]:
    """Let each run once in every round; the first round of each is not counted."""
    seen: dict[str, list[Times]] = {name: [] for name in runs}
    for number in range(rounds):
        for name, run in runs.items():
            faiss.omp_set_num_threads(1)  # a task sets its own
            wall, cpu = time.perf_counter(), time.process_time()
            run(number)
            spent = Times(1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu))
            seen[name].append(spent)
    return {name: _median(each[1:]) for name, each in seen.items()}


def _median(spent: Sequence[Times]) -> Times:
    return Times(*(median(each) for each in zip(*spent, strict=True)))
