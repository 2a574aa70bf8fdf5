"""RefineEdges: make the output images of one photo at the photo's own resolution."""

from containers.edge_refiner.alpha import estimate_alpha
from containers.edge_refiner.budget import Budget, refining_bytes
from containers.edge_refiner.figures import measure, quality_of
from containers.edge_refiner.pictures import render
from containers.edge_refiner.work_bucket import read_mask, store_pictures
from pipeline.contracts.cutout import EdgesRefined, RefineEdges
from pipeline.photo.pixels import decode
from pipeline.task import task
from pipeline.workbench import TaskContext, read_source


@task(RefineEdges)
def handler(job: RefineEdges, context: TaskContext) -> EdgesRefined:
    """Write the output images to the work bucket, or raise OutOfMemory before decoding."""
    with context.timed("decode"):
        context.reserve(refining_bytes(job.source, job.options))
        photo = decode(read_source(context.store, job.source), reserve=context.reserve)
        mask = read_mask(context.store, job.mask)
    with context.timed("refine"):
        mode, budget = job.options.refine, Budget(context.settings.memory_mb)
        refinement, alpha = estimate_alpha(photo, mask, job.mask_output, mode=mode, budget=budget)
    with context.timed("compose"):
        pictures = render(photo, alpha, job.options)
    with context.timed("encode"):
        stored = store_pictures(pictures, job, photo, context.store)
    figures = measure(pictures[0].pixels) | quality_of(pictures)
    return EdgesRefined(refinement=refinement, pictures=stored, metrics=figures)
