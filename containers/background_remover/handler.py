"""RemoveBackground: the model's raw opinion of a photo, at the model's own resolution."""

from containers.background_remover.saliency import open_network, predict_mask, runtime
from containers.background_remover.subject import require_subject
from pipeline.artifacts import Location
from pipeline.contracts import BackgroundRemoved, RemoveBackground
from pipeline.photo import decode, encode
from pipeline.source import read_source
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(RemoveBackground)
def handler(job: RemoveBackground, context: TaskContext) -> BackgroundRemoved:
    """The mask of the photo's subject; NoSubject when nothing stands out."""
    row, staged = context.catalogue.row(job.model), Location(job.models_bucket, job.weights_key)
    with context.timed("model_load"):
        (file,) = context.weights.files(staged, row, runtime())
        model = open_network(file.path, optimised=file.optimised, threads=context.settings.threads)
    context.note(network=file.remark)
    with context.timed("decode"):
        picture = decode(read_source(context.store, job.source)).on_white()
    mask = predict_mask(model, row.saliency, picture, timed=context.timed)
    figures = require_subject(mask) | {"optimised": float(file.optimised)}
    with context.timed("store"):
        place = Location(job.work_bucket, f"{job.work_prefix}/mask.png")
        content = encode(mask, picture_format="png")
        artifact = context.store.write(place, content, media_type="image/png")
    sha256 = file.sha256
    return BackgroundRemoved(mask=artifact, model=row.name, weights_sha256=sha256, metrics=figures)
