"""The function of each job."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from containers.vector_index.allowing import change_allowed
from containers.vector_index.asking import check_request
from containers.vector_index.compacting import compact_collection
from containers.vector_index.creating import create_collection
from containers.vector_index.deleting import delete_collection
from containers.vector_index.describing import describe_collections
from containers.vector_index.enrolling.enrolling import enroll_records, enroll_vectors
from containers.vector_index.enrolling.prefixes import enroll_prefix
from containers.vector_index.exporting import export_person
from containers.vector_index.forgetting import forget_source, forget_subject
from containers.vector_index.listing import list_collections
from containers.vector_index.moving import move_collection
from containers.vector_index.searching.auditing import list_searches
from containers.vector_index.searching.searching import search_vectors
from pipeline.contracts.collection import (
    ChangeAllowed,
    CompactCollection,
    CreateCollection,
    DeleteCollection,
    DescribeCollections,
    ExportPerson,
    ForgetSource,
    ForgetSubject,
    MoveCollection,
)
from pipeline.contracts.collection_enrolments import EnrollRecords, EnrollVectors
from pipeline.contracts.collection_runs import CheckRequest, EnrollPrefix, ListCollections
from pipeline.contracts.collection_searches import ListSearches, SearchVectors
from pipeline.contracts.contract import Job
from pipeline.workbench import TaskContext

TASKS: Final[Mapping[type[Job], Callable[[Any, TaskContext], Any]]] = {
    CreateCollection: create_collection,
    ChangeAllowed: change_allowed,
    EnrollRecords: enroll_records,
    EnrollVectors: enroll_vectors,
    SearchVectors: search_vectors,
    ForgetSubject: forget_subject,
    ForgetSource: forget_source,
    CompactCollection: compact_collection,
    ExportPerson: export_person,
    MoveCollection: move_collection,
    DeleteCollection: delete_collection,
    DescribeCollections: describe_collections,
    ListSearches: list_searches,
    CheckRequest: check_request,
    EnrollPrefix: enroll_prefix,
    ListCollections: list_collections,
}
