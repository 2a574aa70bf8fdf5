"""`python -m containers.edge_refiner.selftest`: a coarse mask becomes a cut-out."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.edge_refiner.handler import handler
from pipeline.artifacts import Location
from pipeline.contracts.contract import SourcePhoto
from pipeline.contracts.cutout import CutoutOptions, EdgesRefined, RefineEdges
from pipeline.photo.pixels import Pixels, encode
from pipeline.selftest import Trial, selftest

SIDE: Final = 120
SAND: Final = (214, 178, 126)
NIGHT: Final = (20, 20, 28)
MASK_SIDE: Final = SIDE // 4


def check(trial: Trial) -> None:
    (picture,) = trial.run(handler, _job(trial), EdgesRefined).pictures

    with Image.open(io.BytesIO(trial.read(picture.artifact))) as image:
        pixels = np.asarray(image)
    trial.expect("picture", [picture.kind, picture.media_type], ["cutout", "image/png"])
    trial.expect("size", list(pixels.shape), [SIDE, SIDE, 4])
    trial.expect("opaque in the middle", int(pixels[SIDE // 2, SIDE // 2, 3]), 255)
    trial.expect("subject's own colour", _is_sand(pixels[SIDE // 2, SIDE // 2]), expected=True)
    trial.expect("empty around it", bool(pixels[: SIDE // 8].any()), expected=False)


def _job(trial: Trial) -> RefineEdges:
    photo = np.where(_disk(SIDE)[..., None], SAND, NIGHT).astype(np.uint8)
    mask = np.where(_disk(MASK_SIDE), 255, 0).astype(np.uint8)
    place = Location("ingest", "cat.png")
    original = trial.put(place, encode(photo, picture_format="png"))
    coarse = trial.put(Location("work", "mask.png"), encode(mask, picture_format="png"))
    source = SourcePhoto(
        **place._asdict(), etag="", sha256=original.sha256, bytes=original.bytes,
        media_type="image/png", width=SIDE, height=SIDE,
    )  # fmt: skip
    return RefineEdges(
        schema_version=1, job_id="selftest", execution="selftest", source=source,
        options=CutoutOptions(model="starter", refine="fast"), mask=coarse,
        work_bucket="work", work_prefix="selftest", output_stem="cat",
    )  # fmt: skip


def _disk(side: int) -> npt.NDArray[np.bool_]:
    """True inside a disk in the middle of side × side."""
    y, x = np.ogrid[:side, :side]
    middle = (side - 1) / 2
    inside: npt.NDArray[np.bool_] = (x - middle) ** 2 + (y - middle) ** 2 < (side * 0.3) ** 2
    return inside


def _is_sand(pixel: Pixels) -> bool:
    return bool(np.abs(pixel[:3].astype(int) - SAND).max() <= 3)


if __name__ == "__main__":
    selftest("edge-refiner", check)
