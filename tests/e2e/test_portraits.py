"""Real weights on real photos, through the command line, the cloud and every container.

Needs a mirror that holds `prisma-portrait.onnx` and a folder of photos with published masks:

    MATTELINE_WEIGHTS_MIRROR=… MATTELINE_TEST_PHOTOS=… make e2e
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.pictures import Pixels

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

CATALOGUE = ROOT / "tests" / "catalogue" / "portrait.toml"
MOST_UNSEEN = 1  # of two hurdlers among trees, a portrait network sees next to nothing


def _folder(variable: str, needed: str) -> Path:
    folder = Path(os.environ.get(variable, ""))
    if not os.environ.get(variable) or not (folder / needed).exists():
        pytest.skip(f"offline: {variable} names no folder with {needed}")
    return folder


@pytest.fixture(scope="module")
def photos() -> Path:
    return _folder("MATTELINE_TEST_PHOTOS", "photos")


@pytest.fixture(scope="module")
def cutouts(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every photo of the folder, cut out with the real portrait model."""
    mirror = _folder("MATTELINE_WEIGHTS_MIRROR", "prisma-portrait.onnx")
    output = tmp_path_factory.mktemp("cutouts")
    done = subprocess.run(
        [
            sys.executable, "-m", "pipeline", "run", str(photos / "photos"), "-o", str(output),
            "--model", "prisma-portrait", "--outputs", "cutout,mask",
            "--mirror", str(mirror), "--catalogue", str(CATALOGUE),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))},
    )  # fmt: skip
    refused = done.stdout.count("│ QUARANTINED")
    assert refused == done.stdout.count("NoSubject") <= MOST_UNSEEN, done.stdout + done.stderr
    assert done.returncode == bool(refused)
    return output


def test_every_photo_it_sees_a_subject_in_has_a_cutout_of_its_own_size(
    photos: Path, cutouts: Path
) -> None:
    made = 0
    for photo in (photos / "photos").iterdir():
        cutout = cutouts / f"{photo.stem}_bg_removed.png"
        if cutout.exists():
            made += 1
            with Image.open(photo) as before, Image.open(cutout) as after:
                assert (after.size, after.mode) == (before.size, "RGBA")
    assert made >= len(list((photos / "photos").iterdir())) - MOST_UNSEEN


def test_the_masks_agree_with_the_published_ones(photos: Path, cutouts: Path) -> None:
    overlaps = []
    for published in (photos / "masks").iterdir():
        found = list(cutouts.glob(f"{_escaped(published.stem)}_mask.png"))
        overlaps.append(_iou(_grey(found[0]), _grey(published)) if found else 0.0)

    assert len(overlaps) >= 15
    assert float(np.median(overlaps)) >= 0.75


def test_each_manifest_names_the_weights_it_was_made_with(cutouts: Path) -> None:
    manifests = [json.loads(path.read_text()) for path in cutouts.glob("*_bg_removed.json")]

    assert {manifest["weights_sha256"] for manifest in manifests} == {
        "aeef118740b74a908886f247457c9866b5c002769eda4bb901f049dc7821b1c0"
    }


def _grey(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def _iou(ours: Pixels, published: Pixels) -> float:
    height, width = ours.shape
    resized = Image.fromarray(published).resize((width, height))
    first, second = ours > 127, np.asarray(resized) > 127
    return float((first & second).sum() / max((first | second).sum(), 1))


def _escaped(name: str) -> str:
    return name.replace("[", "[[]")
