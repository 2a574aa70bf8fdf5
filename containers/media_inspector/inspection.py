"""From a request to a job: fetch, sniff, measure, merge options, plan the models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from containers.media_inspector.content import (
    Content,
    measured,
    require_bytes,
    require_own_media,
)
from containers.media_inspector.former import as_inspect_media, as_photo_inspected
from containers.media_inspector.options import (
    Profile,
    canonical,
    merge_options,
    product_asked,
    profile_of,
    without_product,
)
from containers.media_inspector.planning import planned
from containers.media_inspector.prompting import with_prompts_checked
from containers.media_inspector.request import Request, read_request
from pipeline.artifacts import AccessDenied, ArtifactStore, Location, Stat
from pipeline.contracts.contract import (
    FOREVER,
    Inspected,
    InspectMedia,
    Options,
    Source,
    read_product_contract,
)
from pipeline.contracts.cutout import InspectPhoto, PhotoInspected
from pipeline.contracts.output_keys import output_stem
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import Product, load_products
from pipeline.errors import (
    InvalidOptions,
    OtherProduct,
    SourceArchived,
    SourceChanged,
    SourceForbidden,
)
from pipeline.workbench import Workbench, named_source_errors, require_latest

_DELETED: Final = "{} was deleted while it was being read"


def inspect(
    task: InspectMedia | InspectPhoto,
    store: ArtifactStore,
    catalogue: Catalogue,
    products: Sequence[Product],
    profiles: Sequence[Profile],
) -> Inspected | PhotoInspected:
    """Return the job and the plan for one execution input.

    Raises a permanent error for a bad object or request, StoreUnavailable in an outage.
    """
    if isinstance(task, InspectPhoto):
        asked = as_inspect_media(task)
        return as_photo_inspected(inspect_media(asked, store, catalogue, products, profiles))
    return inspect_media(task, store, catalogue, products, profiles)


def inspect_media(
    task: InspectMedia,
    store: ArtifactStore,
    catalogue: Catalogue,
    products: Sequence[Product],
    profiles: Sequence[Profile],
) -> Inspected:
    """Return the job and the plan, as the product's own contract has them."""
    product = _product(task.product, products)
    contract = read_product_contract(product.contracts)
    request = read_request(task.input)
    with _denied_by_other_buckets(request, task.ingest_bucket):
        stat, is_latest = _stat(request, store)
        asked = product_asked(stat.metadata, products)
        _require_own_product(asked, product, request, hand=task.hands_over_requests)
        location = request.location._replace(version_id=stat.version_id)
        with named_source_errors(location, missing=_DELETED.format(location.uri)):
            content = Content(location, store)
    hand = task.hands_over and asked != product  # it gets what it asks for, or a reason
    require_own_media(contract.source, content.head, location, hand=hand)
    require_bytes(contract.source, stat.bytes)
    options = merge_options(
        contract.options,
        typed=request.options,
        metadata=_metadata_for(product, asked, stat),
        profile=profile_of(product.name, request.location.key, profiles),
        defaults=_default_models(task, product, contract.options),
    )
    plan = {
        name: planned(role, task, task.default_models.get(name), options, catalogue)
        for name, role in product.roles.items()
    }
    with _denied_by_other_buckets(request, task.ingest_bucket):
        source = _source(location, stat, content, contract.source)
        if request.follows_latest and not is_latest:
            require_latest(store, source)
    checked = with_prompts_checked(options, catalogue, source, prompts_follow=task.prompts_follow)
    job_id = _job_id(product, source, checked)
    run = hashlib.sha256(task.execution.encode()).hexdigest()[:12]
    stem = output_stem(source.key)
    job = contract.job(
        job_id=job_id,
        source=source,
        options=checked,
        model=getattr(options, "model", ""),
        work_prefix=f"{product.work_folder}{job_id}/{run}",
        output_stem=stem,
        record_key=f"{stem}{product.record}",
        follows_latest=request.follows_latest,
        lane=request.lane,
        **_claim(task, request),
    )
    return contract.inspected.model_validate({"job": job, "plan": plan})


def _product(name: str, products: Sequence[Product]) -> Product:
    """Return the product called `name`. Raises LookupError if this image does not know it."""
    for product in products:
        if product.name == name:
            return product
    known = ", ".join(product.name for product in products)
    raise LookupError(
        f"this image knows no product {name!r}, only {known}: release media-inspector before the "
        "product's state machine"
    )


def _require_own_product(
    asked: Product | None, product: Product, request: Request, *, hand: bool
) -> None:
    """Raise OtherProduct for an upload that asks for another product.

    Raises InvalidOptions instead unless `hand`. A user who starts a state machine has chosen the
    product, whatever the metadata asks for.
    """
    if asked is None or asked == product or not request.uploaded:
        return
    uri = request.location.uri
    if not hand:
        raise InvalidOptions(f"{product.name} cannot hand over {uri}, which asks for {asked.name}")
    raise OtherProduct(f"{asked.machine}: the metadata of {uri} asks for {asked.name}")


def _metadata_for(product: Product, asked: Product | None, stat: Stat) -> Mapping[str, str]:
    """Return the metadata with options for this product, which may be for another one.

    Without a product in it, it is for the one that the upload starts by its name or content.
    """
    is_for = not product.on_request if asked is None else asked == product
    return without_product(stat.metadata) if is_for else {}


def _default_models(task: InspectMedia, product: Product, kind: type[Options]) -> Mapping[str, str]:
    """Return the deployment's model for each option that must name one."""
    return {
        role.option: task.default_models[name]
        for name, role in product.roles.items()
        if role.option and kind.model_fields[role.option].is_required()
    }


def read_products(bench: Workbench) -> tuple[Product, ...]:
    """Read the products whose jobs this container makes."""
    return load_products(bench.root)


@contextmanager
def _denied_by_other_buckets(request: Request, ingest_bucket: str | None) -> Iterator[None]:
    """Raise SourceForbidden where another bucket denies access; if ingest does, that is a bug."""
    try:
        yield
    except AccessDenied as error:
        if ingest_bucket in (None, request.location.bucket):
            raise
        raise SourceForbidden(f"{error}; media must be in {ingest_bucket}") from error


def _stat(request: Request, store: ArtifactStore) -> tuple[Stat, bool]:
    """Measure the version that is asked for. Returns True with it if it is known to be the latest.

    A job that follows the latest version needs one that is there.
    """
    location = request.location
    with named_source_errors(location, missing=f"there is no {location.uri}"):
        latest = store.stat(location._replace(version_id=None)) if request.follows_latest else None
        is_latest = latest is not None and location.version_id in {None, latest.version_id}
        stat = latest if latest and is_latest else store.stat(location)
    if request.etag and request.etag != stat.etag:
        raise SourceChanged(f"{location.uri} was replaced after the event that named it")
    if stat.archive:
        raise SourceArchived(f"{location.uri} is archived in {stat.archive}")
    return stat, is_latest


def _source(location: Location, stat: Stat, content: Content, kind: type[Source]) -> Source:
    """Read the very version that was measured to its end."""
    with named_source_errors(location, missing=_DELETED.format(location.uri)):
        found = measured(content, kind, location.key)
    return kind(
        bucket=location.bucket,
        key=location.key,
        version_id=location.version_id,
        etag=stat.etag,
        **found,
    )


def _job_id(product: Product, source: Source, options: Options) -> str:
    """Name the job by its content, so that the same object uploaded twice is one job."""
    identity = [product.name, source.bucket, source.key, source.sha256, canonical(options)]
    return hashlib.sha256("\n".join(identity).encode()).hexdigest()[:32]


def _claim(task: InspectMedia, request: Request) -> dict[str, str]:
    """Return when the job was inspected, what it may claim, and until when it keeps that."""
    now = datetime.now(UTC)
    seconds = int(now.timestamp())
    return {
        "inspected_at": now.isoformat(timespec="milliseconds"),
        "claims_before": str(FOREVER + 1 if request.force else seconds),
        "held_until": str(seconds + task.lease_s),
    }
