"""ForgetSubject and ForgetSource."""

from pipeline.contracts.collection import ForgetSource, ForgetSubject, Forgotten, SourceForgotten
from pipeline.workbench import TaskContext


def forget_subject(job: ForgetSubject, context: TaskContext) -> Forgotten:
    raise NotImplementedError


def forget_source(job: ForgetSource, context: TaskContext) -> SourceForgotten:
    raise NotImplementedError
