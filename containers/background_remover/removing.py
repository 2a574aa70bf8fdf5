"""RemoveBackground: predict a photo's mask at the model's own resolution."""

from __future__ import annotations

from typing import Final

from containers.background_remover.engines import load_model
from containers.background_remover.storing import store_masks
from containers.background_remover.subject import require_subject
from pipeline.contracts.cutout import BackgroundRemoved, RemoveBackground
from pipeline.model_context import catalogue_of
from pipeline.workbench import TaskContext, read_source

CONTAINER: Final = "background-remover"


def remove_background(job: RemoveBackground, context: TaskContext) -> BackgroundRemoved:
    """Return the mask of the photo's subject. Raises NoSubject if there is none."""
    row = catalogue_of(context.bench, CONTAINER).row(job.model)
    with context.timed("model_load"):
        model = load_model(row, job, context)
    with context.timed("decode"):
        picture = model.read(read_source(context.store, job.source))
    found = model.predict(picture)
    figures = require_subject(found.mask, least_coverage=found.least_coverage) | found.figures
    with context.timed("store"):
        mask, subjects = store_masks(found, job, context.store)
    sha256 = model.weights_sha256
    return BackgroundRemoved(
        mask=mask, subjects=subjects, model=row.name, weights_sha256=sha256, metrics=figures
    )
