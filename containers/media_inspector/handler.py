"""Inspect: what the object is, what is wanted of it, and whether it is worth a model's time."""

from containers.media_inspector.inspection import inspect_photo
from containers.media_inspector.options import load_profiles
from pipeline.contracts.cutout import InspectPhoto, PhotoInspected
from pipeline.model_context import catalogue_of
from pipeline.task import task
from pipeline.workbench import TaskContext

PROFILES = load_profiles()


@task(InspectPhoto)
def handler(job: InspectPhoto, context: TaskContext) -> PhotoInspected:
    """One job with its plan, or the first thing that is wrong with the object or the request."""
    with context.timed("inspect"):
        return inspect_photo(job, context.store, catalogue_of(context.bench), PROFILES)
