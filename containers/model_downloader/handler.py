"""StageWeights: stage one model's files in the models bucket, complete or not at all."""

from containers.model_downloader.staging import Staging
from pipeline.contracts.weights import StageWeights, WeightsStaged
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(StageWeights)
def handler(job: StageWeights, context: TaskContext) -> WeightsStaged:
    """Return the staged weights record. Weights already staged are kept unless `force` is set."""
    staging = Staging.of(job, context)
    with context.timed("stage"):
        return staging.run(force=job.force)
