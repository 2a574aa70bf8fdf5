"""`python -m containers.media_inspector.selftest`: a photo that lies on its side is inspected."""

from __future__ import annotations

import io

from PIL import Image

from containers.media_inspector.handler import handler
from pipeline.artifacts import Location
from pipeline.contracts.contract import InspectMedia
from pipeline.contracts.cutout import CutoutInspected
from pipeline.selftest import Trial, selftest

ORIENTATION, TURNED = 0x0112, 6
PHOTO = Location("ingest", "trips/cat.jpg")


def check(trial: Trial) -> None:
    trial.put(PHOTO, _photo())
    job = InspectMedia(
        schema_version=1,
        product="cutout",
        input={"bucket": PHOTO.bucket, "key": PHOTO.key, "options": {"crop": True}},
        execution="selftest",
        default_models={"mask": "starter"},
        lease_s=60,
    )

    found = trial.run(handler, job, CutoutInspected)

    source, options = found.job.source, found.job.options
    trial.expect("media type", source.media_type, "image/jpeg")
    trial.expect("upright size", [source.width, source.height], [90, 120])
    trial.expect("options", [options.model, options.crop], ["starter", True])
    trial.expect("record key", found.job.record_key, "trips/cat_bg_removed.json")


def _photo() -> bytes:
    """A JPEG of 120 × 90 pixels whose camera was held upright."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[ORIENTATION] = TURNED
    Image.new("RGB", (120, 90), "teal").save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


if __name__ == "__main__":
    selftest("media-inspector", check)
