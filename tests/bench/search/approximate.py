"""IVF and HNSW on 100,000 vectors: what they cost, save and find, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np

from containers.vector_index.comparing.arrays import bitmap
from containers.vector_index.comparing.blocks import Block, Wanted, nearest
from containers.vector_index.comparing.flat import Flat
from containers.vector_index.comparing.hnsw import Hnsw
from containers.vector_index.comparing.ivf import Ivf
from containers.vector_index.comparing.recall import Approximate, Refused, tune
from tests.bench.figures import Figures
from tests.bench.search.made import DIMENSION, EACH, Vectors, faces
from tests.containers.vector_index.faces import people

_ROWS: Final = 100_000
_QUERIES: Final = 500
_K: Final = 20
_SAME: Final = 0.6
_NEAR: Final = 0.17  # some pairs of strangers are that much alike
_KINDS: Final[Mapping[Approximate, Callable[..., Block]]] = {"ivf": Ivf.of, "hnsw": Hnsw.of}
_ALIVE: Final = np.ones(_ROWS, np.bool_)


def main() -> None:
    stored, asked = faces(_ROWS)
    codes = stored.astype(np.float16)
    figures = Figures(f"Indexes of {_ROWS:,} × 512, processor time", peer="flat")
    build, flat = _timed(lambda: Flat.of(codes))
    figures.add("flat: loading, s", "", f"{build:.2f}")
    figures.add("  a query, ms; matches found", "", _asked(flat, asked))
    for kind, of in _KINDS.items():
        tuned = tune(kind, codes, _ALIVE, same_above=_SAME, threads=2)
        if isinstance(tuned, Refused):
            figures.add(f"{kind}: refused", tuned.why)
            continue
        build, block = _timed(partial(of, codes, effort=tuned.effort, threads=2))
        figures.add(f"{kind}, effort {tuned.effort}: loading, s", f"{build:.1f}")
        figures.at_least("  measured recall", tuned.recall, 0.98, form=".4f")
        figures.add("  a query, ms; matches found", _asked(block, asked))
    strangers = people(_ROWS, 1, DIMENSION).astype(np.float16)
    refused = tune("ivf", strangers, _ALIVE, same_above=_NEAR, threads=2)
    why = refused.why if isinstance(refused, Refused) else f"recall {refused.recall:.4f}"
    figures.add(f"ivf: {_ROWS:,} people, one photo each", why)
    figures.show()


def _timed(build: Callable[[], Block]) -> tuple[float, Block]:
    started = time.process_time()
    built = build()
    return time.process_time() - started, built


def _asked(block: Block, asked: Vectors) -> str:
    started = time.process_time()
    found = nearest(Wanted(asked[:_QUERIES], _K), [block], [bitmap(_ALIVE)], threads=1)
    spent = 1000 * (time.process_time() - started) / _QUERIES
    own = sum(each.row // EACH == query for query, one in enumerate(found) for each in one)
    return f"{spent:.2f}; {own / _QUERIES / EACH:.4f}"
