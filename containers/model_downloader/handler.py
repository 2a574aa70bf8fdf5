"""StageWeights: one model's files in the models bucket, complete or not at all."""

from containers.model_downloader.sources import Sources
from containers.model_downloader.staging import stage_weights
from pipeline.contracts import StageWeights, WeightsStaged
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(StageWeights)
def handler(job: StageWeights, context: TaskContext) -> WeightsStaged:
    """The staged manifest; what is already staged is left alone unless the job says `force`."""
    row = context.catalogue.usable(job.model)
    sources = Sources(context.settings.weights_mirror, prefix=row.weights_prefix)
    scratch = context.settings.scratch
    with context.timed("stage"):
        return stage_weights(job, row=row, store=context.store, sources=sources, scratch=scratch)
