"""EnrollRecords and EnrollVectors."""

from pipeline.contracts.collection import Enrolled, EnrollRecords, EnrollVectors, VectorsEnrolled
from pipeline.workbench import TaskContext


def enroll_records(job: EnrollRecords, context: TaskContext) -> Enrolled:
    raise NotImplementedError


def enroll_vectors(job: EnrollVectors, context: TaskContext) -> VectorsEnrolled:
    raise NotImplementedError
