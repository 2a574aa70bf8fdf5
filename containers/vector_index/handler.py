"""Keep collections of vectors: `tasks.py` has the function of each job."""

from containers.vector_index.tasks import TASKS
from pipeline.contracts.contract import Job, Result
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(*TASKS)
def handler(job: Job, context: TaskContext) -> Result:
    """Return the result of the job's own task."""
    result: Result = TASKS[type(job)](job, context)
    return result
