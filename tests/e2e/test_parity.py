"""The real u2netp gives rembg's masks, through the command line, the cloud and every container.

The photos are scikit-image's own, public domain or CC0, and those of MATTELINE_TEST_PHOTOS.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from pipeline.declared.models import ModelRow
from pipeline.session.choice import cache_folder
from tests.conftest import ROOT
from tests.packages import OFFLINE
from tests.peer import peer_mask, peer_session
from tests.pictures import Pixels

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SAMPLES = (
    "astronaut.png", "camera.png", "cell.png", "chelsea.png", "clock_motion.png", "coffee.png",
    "coins.png", "ihc.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip
LEAST_OVERLAP = 0.995
MOST_ERROR = 1.0  # of 255


def photos() -> list[Path]:
    samples = [Path(str(files("skimage") / "data" / name)) for name in SAMPLES]
    folder = os.environ.get("MATTELINE_TEST_PHOTOS")
    return samples + (sorted((Path(folder) / "photos").iterdir()) if folder else [])


@pytest.fixture(scope="module")
def masks(u2netp_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run every photo with the default model; return the folder with their masks."""
    assert u2netp_weights.is_file()
    folder = tmp_path_factory.mktemp("parity")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MATTELINE_")}
    done = subprocess.run(
        [
            sys.executable, "-m", "pipeline", "run", *map(str, photos()), "-o", str(folder),
            "--refine", "none", "--outputs", "cutout,mask", "--mirror", str(cache_folder()),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=kept | OFFLINE | {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))},
    )  # fmt: skip
    assert "Model: u2netp (from the mirror" in done.stdout, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def peer(u2netp: ModelRow, u2netp_weights: Path) -> Any:
    return peer_session(u2netp, u2netp_weights)


@pytest.mark.parametrize("photo", photos(), ids=lambda photo: photo.name)
def test_the_mask_is_that_of_rembg(masks: Path, peer: Any, photo: Path) -> None:
    ours = _mask_of(masks, photo)
    theirs = peer_mask(peer, _in_srgb(photo))

    assert ours.shape == theirs.shape
    apart = np.abs(ours.astype(np.int16) - theirs)
    assert _overlap(ours, theirs) >= LEAST_OVERLAP
    assert float(apart.mean()) <= MOST_ERROR


def test_a_record_names_the_published_weights(masks: Path) -> None:
    record = json.loads((masks / "astronaut_bg_removed.json").read_text())

    assert record["model"] == "u2netp"
    assert record["weights_sha256"].startswith("309c8469258dda74")


def _in_srgb(photo: Path) -> bytes:
    """Return the photo as our networks see it; rembg ignores its profile."""
    with Image.open(photo) as image:
        profile = image.info.get("icc_profile")
        if profile is None or image.mode != "RGB":
            return photo.read_bytes()
        upright = ImageOps.exif_transpose(image)
        converted = ImageCms.profileToProfile(
            upright, io.BytesIO(profile), ImageCms.createProfile("sRGB")
        )
    buffer = io.BytesIO()
    assert converted is not None
    converted.save(buffer, "PNG", icc_profile=None)
    return buffer.getvalue()


def _mask_of(folder: Path, photo: Path) -> Pixels:
    (path,) = (each for each in folder.iterdir() if each.name == f"{photo.stem}_mask.png")
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def _overlap(ours: Pixels, theirs: Pixels) -> float:
    first, second = ours > 127, theirs > 127
    return float((first & second).sum() / (first | second).sum())
