from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from containers.face_analyzer.preview import draw_preview
from pipeline.contracts.faces import Box, Detection, Face
from pipeline.photo.pixels import Photo, Pixels


def face(x: float, y: float, side: float, *, score: float = 0.97) -> Face:
    box = Box(x=x, y=y, width=side, height=side)
    return Face(detection=Detection(box=box, score=score), landmarks=())


def plain(grey: int, *, height: int = 600, width: int = 800) -> Pixels:
    return np.full((height, width, 3), grey, np.uint8)


def drawn(rgb: Pixels, *faces: Face, alpha: Pixels | None = None) -> Pixels:
    content = draw_preview(Photo(rgb, alpha, None, None), faces).content
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_box_has_white_and_black_lines_on_any_photo(grey: int) -> None:
    """A row through the box crosses both colours on either side of it, within a few pixels."""
    row = drawn(plain(grey), face(300, 200, 200))[300]

    for line in (row[290:302], row[498:510]):
        assert line.min() < 40
        assert line.max() > 215
    assert np.ptp(row[310:490].astype(int)) < 8  # the face itself stays free


def test_the_label_is_white_on_black_above_the_box() -> None:
    label = drawn(plain(255), face(300, 200, 200))[175:197, 296:340]

    assert (label < 40).mean() > 0.3
    assert (label > 215).mean() > 0.05


def test_the_label_of_a_face_at_the_top_is_inside_the_picture() -> None:
    assert (drawn(plain(255), face(790, -5, 40))[:30, 740:] < 40).mean() > 0.15


@pytest.mark.parametrize(("score", "other"), [(0.97, 0.61), (0.5, 0.51)])
def test_labels_show_the_score(score: float, other: float) -> None:
    one, two = (drawn(plain(255), face(300, 200, 200, score=number)) for number in (score, other))

    differing = np.nonzero((np.abs(one.astype(int) - two) > 60).any(axis=0))[0]
    assert 290 < differing.min() < differing.max() < 345


def test_a_large_photo_is_reduced_and_its_boxes_with_it() -> None:
    preview = drawn(plain(128, height=3000, width=4000), face(2000, 1500, 400))

    assert preview.shape == (1200, 1600)
    assert preview[680, 796:800].max() > 215
    assert preview[680, 960:964].max() > 215


def test_a_small_photo_keeps_its_size() -> None:
    assert drawn(plain(128, height=90, width=120)).shape == (90, 120)


def test_reducing_averages_and_keeps_colours() -> None:
    """Picking every n-th pixel would turn fine stripes into broad ones."""
    stripes = plain(0, height=64, width=6400)
    stripes[:, ::2] = 255

    assert np.ptp(drawn(stripes)[:, 4:-4].astype(int)) < 12


def test_a_preview_has_the_photos_profile_and_no_metadata() -> None:
    photo = Photo(plain(128), None, b"profile" * 9, (300, 300))

    image = Image.open(io.BytesIO(draw_preview(photo, [face(1, 1, 50)]).content))

    assert image.format == "JPEG"
    assert image.info["icc_profile"] == b"profile" * 9
    assert not image.getexif()


def test_a_transparent_photo_is_on_white() -> None:
    assert drawn(plain(0), alpha=np.zeros((600, 800), np.uint8)).min() > 250


def test_a_preview_leaves_the_photo_as_it_is() -> None:
    """It is drawn first; redaction works on the same pixels."""
    rgb = plain(128)
    drawn(rgb, face(300, 200, 200))

    assert (rgb == 128).all()


def test_a_large_photo_needs_little_memory() -> None:
    rgb = plain(128, height=6000, width=6000)
    tracemalloc.start()
    draw_preview(Photo(rgb, None, None, None), [face(1, 1, 50)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 40 * 2**20
