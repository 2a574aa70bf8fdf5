"""The shipped weights: small, the catalogue's own, and able to tell a subject from nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image, ImageDraw, ImageFilter

from containers.background_remover.starter.contenders import Contender, starter
from containers.background_remover.starter.empties import empty_scenes
from containers.background_remover.starter.evaluation import overlap, seen_through
from pipeline.cli.runs import sample_photos
from pipeline.declared.catalogue import load_catalogue
from tests.conftest import ROOT

MOST_BYTES = 2_500_000
TEXTURES = ("brick", "grass", "gravel")


@pytest.fixture(scope="module")
def shipped() -> Contender:
    return starter()


def test_the_weights_are_those_of_the_catalogue_and_small() -> None:
    row = load_catalogue(ROOT).row("starter")
    content = (ROOT / "containers/background_remover/starter" / row.files[0].name).read_bytes()

    assert row.files[0].digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert len(content) <= MOST_BYTES
    assert row.commercial


def test_nothing_is_seen_in_drawn_scenes_without_a_subject(shipped: Contender) -> None:
    shares = seen_through(shipped, list(empty_scenes(8)))

    assert np.mean(list(shares.values())) >= 0.9, shares


@pytest.mark.parametrize("texture", TEXTURES)
def test_nothing_is_seen_in_photos_of_textures(shipped: Contender, texture: str) -> None:
    photo = Image.open(Path(skimage.__file__).parent / "data" / f"{texture}.png").convert("RGB")
    crops = [photo.crop((x, y, x + 320, y + 240)) for x in (0, 160) for y in (0, 120, 240)]

    shares = seen_through(shipped, [(texture, np.asarray(crop)) for crop in crops])

    assert shares[texture] >= 0.8


def test_a_ball_on_a_gradient_is_cut_out_with_a_soft_edge(shipped: Contender) -> None:
    photo, truth = _ball()

    mask = shipped.mask_of(photo)

    full = np.asarray(Image.fromarray(mask).resize(truth.shape[::-1], Image.Resampling.BILINEAR))
    assert overlap(full, truth) > 0.85
    between = ((mask > 25) & (mask < 230)).mean()
    assert 0.002 < between < 0.1


@pytest.mark.parametrize("photo", sample_photos(), ids=lambda path: path.stem)
def test_a_subject_is_found_in_every_sample_photo(shipped: Contender, photo: Path) -> None:
    mask = shipped.mask_of(np.asarray(Image.open(photo).convert("RGB")))

    assert 0.02 < (mask >= 128).mean() < 0.9


def _ball() -> tuple[np.ndarray, np.ndarray]:
    """A shaded ball with a shadow before a blue-grey gradient, and its mask."""
    across = np.linspace(90, 190, 480)[None, :, None] * np.array([0.8, 0.9, 1.0])
    ground = np.broadcast_to(across, (360, 480, 3)).astype(np.uint8)
    photo = Image.fromarray(ground)
    shadow = Image.new("L", photo.size)
    ImageDraw.Draw(shadow).ellipse((150, 270, 350, 310), fill=110)
    photo.paste((20, 20, 30), mask=shadow.filter(ImageFilter.GaussianBlur(9)))
    truth = Image.new("L", photo.size)
    ImageDraw.Draw(truth).ellipse((160, 90, 340, 290), fill=255)
    shade = Image.radial_gradient("L").resize((180, 200)).point(lambda value: 255 - value // 2)
    ball = Image.merge("RGB", [shade, shade.point(lambda v: v // 3), shade.point(lambda v: v // 4)])
    photo.paste(ball, (160, 90), truth.crop((160, 90, 340, 290)))
    return np.asarray(photo), np.asarray(truth)
