"""What half precision loses: the matches of 1,000 new photos among 100,000 vectors."""

from __future__ import annotations

from typing import Final

import numpy as np

from containers.vector_index.comparing.arrays import bitmap
from containers.vector_index.comparing.blocks import Wanted, nearest
from containers.vector_index.comparing.flat import Flat
from tests.bench.figures import Figures
from tests.bench.search.made import EACH, faces

_ROWS: Final = 100_000
_QUERIES: Final = 1_000
_K: Final = 20


def main() -> None:
    stored, queries = faces(_ROWS)
    asked = queries[:_QUERIES]
    similar = asked.astype(np.float64) @ stored.T.astype(np.float64)
    best = np.argsort(-similar, axis=1)[:, :_K]
    alive = bitmap(np.ones(_ROWS, np.bool_))
    found = nearest(Wanted(asked, _K), [Flat.of(stored.astype(np.float16))], [alive], threads=2)
    rows = [{each.row for each in one} for one in found]
    own = [set(range(person * EACH, (person + 1) * EACH)) for person in range(_QUERIES)]
    apart = [
        abs(each.similarity - similar[query, each.row])
        for query, one in enumerate(found)
        for each in one
    ]
    figures = Figures(
        f"{_QUERIES:,} queries among {_ROWS:,} × 512, k = {_K}", peer="NumPy, double precision"
    )
    figures.at_least(
        "recall of true matches", _share(rows, own), 0.999, form=".5f",
        peer=f"{_share([set(map(int, one)) for one in best], own):.5f}",
    )  # fmt: skip
    same = _share(rows, [set(map(int, one)) for one in best])
    figures.add(f"of the {_K} nearest, found", f"{same:.5f}", "1")
    figures.add("similarity, largest difference", f"{max(apart):.1e}", "0")
    figures.show()


def _share(found: list[set[int]], wanted: list[set[int]]) -> float:
    return sum(len(a & b) for a, b in zip(found, wanted, strict=True)) / sum(map(len, wanted))
