"""RemoveBackground: the model's raw opinion of a photo, at the model's own resolution."""

from containers.background_remover.saliency import open_network, predict_mask, read_picture
from containers.background_remover.subject import require_subject
from pipeline.artifacts import Location
from pipeline.contracts import BackgroundRemoved, RemoveBackground
from pipeline.photo import encode
from pipeline.source import read_source
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(RemoveBackground)
def handler(job: RemoveBackground, context: TaskContext) -> BackgroundRemoved:
    """The mask of the photo's subject; NoSubject when nothing stands out."""
    row = context.catalogue.row(job.model)
    with context.timed("model_load"):
        manifest = Location(job.models_bucket, job.weights_key)
        ((weights, sha256),) = context.weights.files(manifest, row)
        network = open_network(weights)
    with context.timed("decode"):
        picture = read_picture(read_source(context.store, job.source), row.saliency)
    mask = predict_mask(network, row.saliency, picture, timed=context.timed)
    figures = require_subject(mask)
    with context.timed("store"):
        place = Location(job.work_bucket, f"{job.work_prefix}/mask.png")
        content = encode(mask, picture_format="png")
        artifact = context.store.write(place, content, media_type="image/png")
    return BackgroundRemoved(mask=artifact, model=row.name, weights_sha256=sha256, metrics=figures)
