"""Predict a photo's mask, or prepare and answer the clicks that select its subject."""

from collections.abc import Callable, Mapping
from typing import Any

from containers.background_remover.removing import remove_background
from containers.background_remover.selecting import encode_photo, select_subject
from pipeline.contracts.contract import Job
from pipeline.contracts.cutout import BackgroundRemoved, RemoveBackground
from pipeline.contracts.selection import EncodePhoto, PhotoEncoded, SelectSubject, SubjectSelected
from pipeline.task import task
from pipeline.workbench import TaskContext

TASKS: Mapping[type[Job], Callable[[Any, TaskContext], Any]] = {
    RemoveBackground: remove_background,
    EncodePhoto: encode_photo,
    SelectSubject: select_subject,
}


@task(RemoveBackground, EncodePhoto, SelectSubject)
def handler(
    job: RemoveBackground | EncodePhoto | SelectSubject, context: TaskContext
) -> BackgroundRemoved | PhotoEncoded | SubjectSelected:
    """Return the result of the job's own task. No two jobs have the same fields."""
    result: BackgroundRemoved | PhotoEncoded | SubjectSelected = TASKS[type(job)](job, context)
    return result
