"""Inspect: what an uploaded object is, what is wanted of it, and which models that takes."""

from containers.media_inspector.inspection import inspect, read_products
from containers.media_inspector.options import load_profiles
from pipeline.contracts.contract import Inspected, InspectMedia
from pipeline.contracts.cutout import InspectPhoto, PhotoInspected
from pipeline.model_context import catalogue_of
from pipeline.task import task
from pipeline.workbench import TaskContext

PROFILES = load_profiles()


@task(InspectMedia, InspectPhoto)
def handler(job: InspectMedia | InspectPhoto, context: TaskContext) -> Inspected | PhotoInspected:
    """Return one job with its plan. Raises the first error of the object or of the request."""
    products = context.bench.once(read_products)
    with context.timed("inspect"):
        return inspect(job, context.store, catalogue_of(context.bench), products, PROFILES)
