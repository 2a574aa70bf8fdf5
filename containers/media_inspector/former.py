"""The former question and its answer, for state machines of the release before products."""

from __future__ import annotations

from pipeline.contracts.contract import Inspected, InspectMedia
from pipeline.contracts.cutout import (
    CutoutInspected,
    FormerCutoutJob,
    InspectPhoto,
    PhotoInspected,
)


def as_inspect_media(task: InspectPhoto) -> InspectMedia:
    """Ask the former question in the present words."""
    return InspectMedia(
        schema_version=1,
        product="cutout",
        input=task.input,
        execution=task.execution,
        default_models={"mask": task.default_model},
        ingest_bucket=task.ingest_bucket,
        lease_s=task.lease_s,
    )


def as_photo_inspected(answer: Inspected) -> PhotoInspected:
    """Give the present answer in the former words. Raises TypeError for another product's."""
    if not isinstance(answer, CutoutInspected):
        kind = type(answer).__name__
        raise TypeError(f"InspectPhoto accepts only cutouts; the answer is a {kind}")
    job = answer.job
    former = FormerCutoutJob(
        job_id=job.job_id,
        source=job.source,
        options=job.options,
        work_prefix=job.work_prefix,
        output_stem=job.output_stem,
        manifest_key=job.record_key,
        inspected_at=job.inspected_at,
        claims_before=job.claims_before,
        held_until=job.held_until,
    )
    return PhotoInspected(job=former, plan=answer.plan.mask)
