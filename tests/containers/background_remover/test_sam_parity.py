"""Points and boxes give the mask that rembg gives with the same networks on the same photo.

Its masks are hard, and it averages nothing when it shrinks a photo: that shows at outlines only.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from PIL import Image

from containers.background_remover.embeddings import EmbeddingCache
from containers.background_remover.network import open_network
from containers.background_remover.sam import Sam, predict_subjects
from containers.background_remover.sam_contracts import SamSpec
from pipeline.artifacts import LocalStore
from pipeline.declared.catalogue import load_catalogue
from pipeline.photo.pixels import Pixels
from pipeline.photo.prompts import SubjectPrompt
from tests.conftest import ROOT
from tests.peer import peer_pair_session
from tests.sam_models import decoder, encoder

SPEC: Final = load_catalogue(ROOT).row("sam-vit-b").spec(SamSpec)

Hard = npt.NDArray[np.bool_]
Masks = Callable[[Pixels, dict[str, Any]], tuple[Hard, Hard]]


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Masks:
    """Our mask and rembg's of a photo, at its size, both hard."""
    folder = tmp_path_factory.mktemp("pair")
    paths = folder / "encoder.onnx", folder / "decoder.onnx"
    onnx.save(encoder(SPEC.canvas), paths[0])
    onnx.save(decoder(SPEC.canvas, answers=1, low=max(SPEC.canvas)), paths[1])
    peer = peer_pair_session(*paths)
    sam = Sam(functools.partial(open_network, paths[0]), open_network(paths[1]), SPEC)

    def both(picture: Pixels, prompt: dict[str, Any]) -> tuple[Hard, Hard]:
        cache = EmbeddingCache(
            LocalStore(folder), "work", "e", SPEC.layout, SPEC.features, str(picture.shape)
        )
        subject = SubjectPrompt.model_validate(prompt)
        found = predict_subjects(
            sam, picture, [subject], cache=cache, timed=lambda _: nullcontext()
        )
        (theirs,) = peer.predict(Image.fromarray(picture), sam_prompt=_as_typed(subject))
        ours = Image.fromarray(found.mask).resize(theirs.size, Image.Resampling.BILINEAR)
        return np.asarray(ours) >= 128, np.asarray(theirs) >= 128

    return both


def _as_typed(subject: SubjectPrompt) -> list[dict[str, Any]]:
    marks: list[dict[str, Any]] = [
        {"type": "point", "data": [point.x, point.y], "label": point.label}
        for point in subject.points
    ]
    if subject.box:
        marks.append({"type": "rectangle", "data": list(subject.box.model_dump().values())})
    return marks


def blob(height: int, width: int) -> Pixels:
    """A bright ellipse on a dark ground, with a soft outline."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    level = np.clip((0.7 - np.hypot(x, y)) * 6 + 0.5, 0, 1) * 255
    return np.dstack([level.astype(np.uint8)] * 3)


def overlap(one: Hard, other: Hard) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize(
    "shape", [(684, 1024), (300, 449), (1368, 2048), (900, 900), (400, 1200), (1200, 900)]
)
def test_a_box_with_a_hole_is_the_same_mask(masks: Masks, shape: tuple[int, int]) -> None:
    height, width = shape
    prompt = {
        "box": {"x0": width * 0.1, "y0": height * 0.2, "x1": width * 0.6, "y1": height * 0.9},
        "points": [{"x": width * 0.4, "y": height * 0.5, "label": 0}],
    }

    ours, theirs = masks(blob(*shape), prompt)

    assert 0.1 < theirs.mean() < 0.5
    assert overlap(ours, theirs) > 0.985


def test_at_the_size_of_the_canvas_no_pixel_differs(masks: Masks) -> None:
    ours, theirs = masks(blob(*SPEC.canvas), {"points": [{"x": 500, "y": 300}]})

    assert theirs.sum() > 100
    np.testing.assert_array_equal(ours, theirs)


def test_a_slip_in_a_coordinate_shows(masks: Masks) -> None:
    prompt = {"box": {"x0": 90, "y0": 120, "x1": 540, "y1": 500}}
    slipped = {"box": {"x0": 90, "y0": 120, "x1": 550, "y1": 500}}

    _, theirs = masks(blob(600, 900), prompt)
    ours, _ = masks(blob(600, 900), slipped)

    assert overlap(ours, theirs) < 0.985
