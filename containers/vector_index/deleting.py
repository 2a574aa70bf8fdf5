"""DeleteCollection."""

from pipeline.contracts.collection import CollectionDeleted, DeleteCollection
from pipeline.workbench import TaskContext


def delete_collection(job: DeleteCollection, context: TaskContext) -> CollectionDeleted:
    raise NotImplementedError
