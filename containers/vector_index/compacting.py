"""CompactCollection."""

from pipeline.contracts.collection import CompactCollection, Compacted
from pipeline.workbench import TaskContext


def compact_collection(job: CompactCollection, context: TaskContext) -> Compacted:
    raise NotImplementedError
