"""SearchVectors."""

from pipeline.contracts.collection import Searched, SearchVectors
from pipeline.workbench import TaskContext


def search_vectors(job: SearchVectors, context: TaskContext) -> Searched:
    raise NotImplementedError
