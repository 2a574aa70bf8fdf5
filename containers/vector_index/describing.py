"""DescribeCollections."""

from pipeline.contracts.collection import CollectionsDescribed, DescribeCollections
from pipeline.workbench import TaskContext


def describe_collections(job: DescribeCollections, context: TaskContext) -> CollectionsDescribed:
    raise NotImplementedError
