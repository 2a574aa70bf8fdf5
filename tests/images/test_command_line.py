"""`matteline --images` runs in images and reports missing or outdated ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.local.image_launcher import ImageLauncher, launching_images
from pipeline.releases.images.store import find_image
from pipeline.releases.images.tools import ImageNotBuilt
from tests.conftest import ROOT
from tests.images.conftest import CONTAINERS
from tests.pictures import png, square, unpng
from tests.pipeline.cli.conftest import Matteline

pytestmark = [pytest.mark.images, pytest.mark.usefixtures("launcher")]


def test_run_makes_a_cutout_with_images(matteline: Matteline, tmp_path: Path) -> None:
    photo = tmp_path / "square.png"
    photo.write_bytes(png(square()))

    done = matteline("run", str(photo), "-o", str(tmp_path), "--model", "brightness", "--images")

    assert done.returncode == 0, done.stderr
    alpha = unpng((tmp_path / "square_bg_removed.png").read_bytes())[..., 3]
    assert (alpha[48, 48], alpha[4, 4]) == (255, 0)
    assert "Traceback" not in done.stderr


def test_a_version_without_an_image_raises_with_a_hint() -> None:
    (refiner,) = [each for each in CONTAINERS if each.name == "edge-refiner"]

    with pytest.raises(ImageNotBuilt, match=r"no image localhost/matteline/edge-refiner:99\.0\.0"):
        find_image(ROOT, refiner.model_copy(update={"version": "99.0.0"}))
    assert "make images" in ImageNotBuilt.hint


def test_an_image_built_from_other_sources_is_not_run(
    blueprint: Blueprint, launcher: ImageLauncher, tmp_path: Path
) -> None:
    assert launcher.sandboxes
    copy = tmp_path / "copy"
    for path in [*ROOT.glob("pipeline/**/*"), *ROOT.glob("containers/**/*")]:
        if path.is_file():
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    with (copy / "pipeline" / "errors.py").open("a") as source:
        source.write("# a line more\n")

    with (
        pytest.raises(ImageNotBuilt, match="built from other sources"),
        launching_images(replace(blueprint, root=copy)),
    ):
        pytest.fail("an old image was mounted")
