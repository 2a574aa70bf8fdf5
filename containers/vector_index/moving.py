"""MoveCollection."""

from pipeline.contracts.collection import MoveCollection, Moved
from pipeline.workbench import TaskContext


def move_collection(job: MoveCollection, context: TaskContext) -> Moved:
    raise NotImplementedError
