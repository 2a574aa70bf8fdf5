"""From a request to a job: fetch, sniff, measure, merge options, choose the model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from containers.media_inspector.options import Profile, canonical, merge_options
from containers.media_inspector.prompting import with_prompts_checked
from containers.media_inspector.request import Request, read_request
from pipeline.artifacts import AccessDenied, ArtifactStore, Stat
from pipeline.contracts import output_keys
from pipeline.contracts.contract import FOREVER
from pipeline.contracts.cutout import (
    CutoutJob,
    InspectPhoto,
    Options,
    PhotoInspected,
    Plan,
    SourcePhoto,
)
from pipeline.declared.models import Catalogue, ModelRow
from pipeline.errors import SourceChanged, SourceForbidden, SourceMissing
from pipeline.photo import pixels
from pipeline.photo.limits import require_bytes


def inspect_photo(
    task: InspectPhoto, store: ArtifactStore, catalogue: Catalogue, profiles: Sequence[Profile]
) -> PhotoInspected:
    """The job and the plan for one execution input. Raises a permanent error, or an outage."""
    request = read_request(task.input)
    with _of_other_buckets(request, task.ingest_bucket):
        stat = _stat(request, store)
    options = merge_options(
        typed=request.options,
        metadata=stat.metadata,
        key=request.location.key,
        profiles=profiles,
        default_model=task.default_model,
    )
    models = catalogue.of(catalogue.row(task.default_model).container)
    plan = _plan(options, models)
    source = _source(request, stat, store)
    checked = with_prompts_checked(options, models, source)
    return PhotoInspected(job=_job(task, request, source, checked), plan=plan)


@contextmanager
def _of_other_buckets(request: Request, ingest_bucket: str | None) -> Iterator[None]:
    """SourceForbidden for a closed door that is not ours: of the ingest bucket, it is a bug."""
    try:
        yield
    except AccessDenied as error:
        if ingest_bucket in (None, request.location.bucket):
            raise
        raise SourceForbidden(
            f"{request.location.uri} is not to be read; the ingest bucket is {ingest_bucket}"
        ) from error


def _stat(request: Request, store: ArtifactStore) -> Stat:
    location = request.location
    try:
        stat = store.stat(location)
    except KeyError:
        raise SourceMissing(f"there is no {location.uri}") from None
    if request.etag and request.etag != stat.etag:
        raise SourceChanged(f"{location.uri} was replaced after the event that named it")
    if request.etag and _replaced(request, stat, store):
        raise SourceChanged(f"{location.uri} was replaced before its event arrived")
    require_bytes(stat.bytes)
    return stat


def _replaced(request: Request, stat: Stat, store: ArtifactStore) -> bool:
    """Whether other bytes have come under the same key: a late event must not undo theirs."""
    try:
        latest = store.stat(request.location._replace(version_id=None))
    except KeyError:
        return False
    return latest.etag != stat.etag


def _plan(options: Options, models: Catalogue) -> Plan:
    """What is left to be done by a model of the right container: of another, it is unknown."""
    row = models.usable(options.model)
    fallback = None
    if options.allow_fallback and row.fallback:
        lighter = models.usable(row.fallback)
        fallback = Plan(model=lighter.name, weights_key=_weights_key(lighter), degraded=True)
    return Plan(model=row.name, weights_key=_weights_key(row), fallback=fallback)


def _weights_key(row: ModelRow) -> str | None:
    return None if row.hosted else row.weights_key


def _source(request: Request, stat: Stat, store: ArtifactStore) -> SourcePhoto:
    """Read the very version that was measured, and take its checksum and header."""
    location = request.location._replace(version_id=stat.version_id)
    try:
        content = store.read(location)
    except KeyError:
        raise SourceMissing(f"{location.uri} was deleted while it was being read") from None
    header = pixels.probe(content)
    return SourcePhoto(
        bucket=location.bucket,
        key=location.key,
        version_id=location.version_id,
        etag=stat.etag,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        **header._asdict(),
    )


def _job(task: InspectPhoto, request: Request, source: SourcePhoto, options: Options) -> CutoutJob:
    """Name the job by its content, so that the same photo dropped twice is one job."""
    identity = "\n".join([source.bucket, source.key, source.sha256, canonical(options)])
    job_id = hashlib.sha256(identity.encode()).hexdigest()[:32]
    run = hashlib.sha256(task.execution.encode()).hexdigest()[:12]
    stem = output_keys.output_stem(source.key)
    now = datetime.now(UTC)
    seconds = int(now.timestamp())
    return CutoutJob(
        job_id=job_id,
        source=source,
        options=options,
        work_prefix=f"{job_id}/{run}",
        output_stem=stem,
        manifest_key=output_keys.manifest_key(stem),
        inspected_at=now.isoformat(timespec="milliseconds"),
        claims_before=str(FOREVER + 1 if request.force else seconds),
        held_until=str(seconds + task.lease_s),
    )
