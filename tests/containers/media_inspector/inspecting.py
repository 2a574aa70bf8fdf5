"""One inspection, with everything it is given."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from PIL import Image

from containers.media_inspector.inspection import inspect_media
from containers.media_inspector.options import Profile
from pipeline.artifacts import ArtifactStore, Location
from pipeline.compute import BatchMachines
from pipeline.contracts.contract import InspectMedia
from pipeline.contracts.cutout import CutoutInspected
from pipeline.declared.catalogue import Catalogue
from pipeline.declared.products import load_products
from tests.conftest import ROOT

CAT = Location("photos", "trips/cat.jpg")


def jpeg(colour: str = "red") -> bytes:
    """40 × 30 pixels that a camera held upright stored lying down."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def etag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def inspect(  # noqa: PLR0913 - each by its name
    store: ArtifactStore,
    catalogue: Catalogue,
    *,
    execution: str = "run-1",
    product: str = "cutout",
    default_model: str = "light",
    profiles: tuple[Profile, ...] = (),
    ingest_bucket: str | None = None,
    prompts_follow: bool = False,
    batch: BatchMachines = "off",
    **fields: Any,
) -> CutoutInspected:
    task = InspectMedia(
        schema_version=1,
        product=product,
        input={"bucket": CAT.bucket, "key": CAT.key} | fields,
        execution=execution,
        default_models={"mask": default_model},
        ingest_bucket=ingest_bucket,
        lease_s=600,
        prompts_follow=prompts_follow,
        batch=batch,
    )
    answer = inspect_media(task, store, catalogue, load_products(ROOT), profiles)
    assert isinstance(answer, CutoutInspected)
    return answer


def arrived(**stored: Any) -> dict[str, Any]:
    """The fields an event adds to an execution input."""
    detail = {"bucket": {"name": CAT.bucket}, "object": {"key": CAT.key} | stored}
    return {"detail-type": "Object Created", "detail": detail}
