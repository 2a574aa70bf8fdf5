"""Denoise: remove noise from a recording, and from its windows if asked."""

from containers.denoiser.denoising import denoise
from pipeline.contracts.transcript import AudioDenoised, Denoise
from pipeline.task import task
from pipeline.workbench import TaskContext


@task(Denoise)
def handler(job: Denoise, context: TaskContext) -> AudioDenoised:
    """Write the denoised recording to the work bucket."""
    return denoise(job, context)
