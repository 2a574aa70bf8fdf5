"""Diarize: find who speaks when in one part of a recording."""

from containers.diarizer.diarizing import diarize
from pipeline.contracts.speakers import Diarize, Diarized
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(Diarize)
def handler(job: Diarize, context: TaskContext) -> Diarized:
    """Return the part's index: who speaks when is in the work bucket."""
    return diarize(job, context)
