"""StageWeights: stage one model's files in the models bucket, complete or not at all."""

from containers.model_downloader.optimiser import Optimiser
from containers.model_downloader.pace import Pace
from containers.model_downloader.sources import Sources
from containers.model_downloader.staging import Staging
from containers.model_downloader.web import Web
from pipeline.aws.secrets import SecretsManager
from pipeline.contracts.weights import StageWeights, WeightsStaged
from pipeline.model_context import catalogue_of
from pipeline.task import task
from pipeline.weights.proxies import Proxies
from pipeline.workbench import TaskContext


@task(StageWeights)
def handler(job: StageWeights, context: TaskContext) -> WeightsStaged:
    """Return the staged weights record. Weights already staged are kept unless `force` is set."""
    row = catalogue_of(context.bench).usable(job.model)
    settings, store = context.settings, context.store
    web, secrets = Web(Proxies.from_environment(settings.environment)), SecretsManager()
    sources = Sources(settings.weights_mirror, row.weights_prefix, web, store, secrets)
    pace = Pace.ending(context.ends_at)
    optimiser = Optimiser(store, settings.memory_mb, pace.seconds_left, settings.kept)
    staging = Staging(row, job.models_bucket, store, sources, settings.scratch, pace, optimiser)
    with context.timed("stage"):
        return staging.run(force=job.force)
