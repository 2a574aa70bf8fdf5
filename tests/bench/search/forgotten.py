"""Ten thousand searches for people who were forgotten, while more are forgotten and erased."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from containers.vector_index.compacting import compact_collection
from containers.vector_index.forgetting import forget_subject
from pipeline.contracts.collection import CompactCollection, ForgetSubject
from tests.bench.figures import Figures
from tests.bench.search.made import EACH, shelf

_ROWS: Final = 20_000
_SEARCHES: Final = 10_000
_FOR_EACH: Final = 10  # searches after somebody was forgotten
_COMPACTED: Final = 200  # forgotten people between two compactions


def main() -> None:
    chance = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as name:
        made, asked = shelf(Path(name), _ROWS)
        order = chance.permutation(_ROWS // EACH)
        gone: list[int] = []
        found = others = 0
        for number in range(_SEARCHES):
            if number % _FOR_EACH == 0:
                gone.append(int(order[len(gone)]))
                job = ForgetSubject.model_validate(
                    _who("forget") | {"person": str(gone[-1]), "ingest_bucket": "ingest"}
                )
                forget_subject(job, made.context)
                if len(gone) % _COMPACTED == 0:
                    compact = CompactCollection.model_validate(_who("compact") | {"force": True})
                    compact_collection(compact, made.context)
            latest = number % 2 == 0
            person = gone[-1] if latest else int(chance.choice(gone))
            matches = made.found(asked[person], threshold=-1, k=20)
            forgotten = {str(each) for each in gone}
            found += sum(each.person in forgotten for each in matches)
            others += len(matches)
    figures = Figures(f"{_SEARCHES:,} searches; {len(gone):,} of 2,000 people are forgotten")
    figures.at_most("matches that were forgotten", found, 0, form=",")
    figures.add("matches of others", f"{others:,}")
    figures.show()


def _who(action: str) -> dict[str, Any]:
    return {
        "schema": 1, "action": action, "collection": "staff", "asked_by": "operator",
        "execution": "e", "asked_at": datetime.now(UTC), "collections_bucket": "collections",
        "vector_bucket": "vectors",
    }  # fmt: skip
