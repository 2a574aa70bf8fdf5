"""What a golden event may refer to: the drawn photo and mask, put where the function may read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from pipeline.functions.smoke_hook import drawing

if TYPE_CHECKING:
    from pipeline.functions.smoke_hook.services import Services
    from pipeline.functions.smoke_hook.smoke import Places
    from pipeline.functions.smoke_hook.subject import Subject

_MEDIA_TYPE: Final = "image/png"


def stage(subject: Subject, prefix: str, services: Services, places: Places) -> dict[str, Any]:
    """Every placeholder's value. Photo and mask lie in the work bucket, under `prefix`."""
    photo, mask = drawing.photo(), drawing.mask()
    photo_key, mask_key = f"{prefix}/photo.png", f"{prefix}/given/mask.png"
    etag = services.write(places.work_bucket, photo_key, photo)
    services.write(places.work_bucket, mask_key, mask)
    sha256 = hashlib.sha256(photo).hexdigest()
    source = {
        "bucket": places.work_bucket,
        "key": photo_key,
        "version_id": None,
        "etag": etag,
        "sha256": sha256,
        "bytes": len(photo),
        "media_type": _MEDIA_TYPE,
        "width": drawing.SIDE,
        "height": drawing.SIDE,
    }
    artifact = {
        "uri": f"s3://{places.work_bucket}/{mask_key}",
        "sha256": hashlib.sha256(mask).hexdigest(),
        "bytes": len(mask),
    }
    return {
        "Execution": prefix,
        "Photo": source,
        "PhotoKey": photo_key,
        "PhotoSha256": sha256,
        "PhotoSide": drawing.SIDE,
        "Mask": artifact,
        "Prefix": prefix,
        "WorkBucket": places.work_bucket,
        "ModelsBucket": places.models_bucket,
        "Model": subject.model,
        "WeightsKey": subject.weights_key,
        "Prompts": subject.prompts,
    }
