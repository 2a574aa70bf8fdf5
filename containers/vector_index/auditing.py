"""ListSearches."""

from pipeline.contracts.collection import ListSearches, SearchesListed
from pipeline.workbench import TaskContext


def list_searches(job: ListSearches, context: TaskContext) -> SearchesListed:
    raise NotImplementedError
