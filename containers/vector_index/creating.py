"""CreateCollection."""

from pipeline.contracts.collection import CollectionCreated, CreateCollection
from pipeline.workbench import TaskContext


def create_collection(job: CreateCollection, context: TaskContext) -> CollectionCreated:
    raise NotImplementedError
