"""Diarize: who speaks when in one part of a recording."""

from pipeline.contracts.speakers import Diarize, Diarized
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(Diarize)
def handler(job: Diarize, context: TaskContext) -> Diarized:
    """Raise NotImplementedError: this container has no network yet."""
    raise NotImplementedError
