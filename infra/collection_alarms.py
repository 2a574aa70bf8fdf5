"""Define alarms on collections: data that cannot be trusted, and data that should be gone."""

from __future__ import annotations

from typing import Final

from infra.alarms import Alarms
from infra.metrics import execution_metric, task_metric
from pipeline.declared.names import VECTOR_INDEX, Names

_COMPACTING: Final = "compact-collections"
_DAY: Final = 24 * 60  # minutes, with four runs


def add_collection_alarms(alarms: Alarms, names: Names) -> None:
    alarms.add(
        "segment-mismatch",
        task_metric(VECTOR_INDEX, "SegmentMismatch", statistic="Sum"),
        above=0,
        meaning="An object of a collection is not what was written, and was not used.",
        section="segment-mismatch",
    )
    alarms.add(
        "erasure-overdue",
        task_metric(VECTOR_INDEX, "overdue", statistic="Maximum", minutes=60),
        above=0,
        meaning="Vectors that were forgotten or have expired were still stored at their deadline.",
        section="erasure-overdue",
    )
    alarms.add_expectation(
        "compaction-missing",
        execution_metric(names, _COMPACTING, "ExecutionsSucceeded", minutes=_DAY),
        meaning="For a day, no execution of compact-collections has succeeded.",
        section="compaction-missing",
    )
