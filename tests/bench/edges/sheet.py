"""Crops of edges to look at: photo, mask, rembg, ours, truth on three backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.photo.pixels import Pixels
from tests.bench.edges.contenders import CONTENDERS
from tests.bench.edges.scenes import Scene, drawn_scene
from tests.bench.edges.scoring import BACKGROUNDS, enlarged, over
from tests.conftest import ROOT

Shown = Sequence[tuple[Scene, dict[str, Pixels]]]

_SIDE: Final = 150
_GAP: Final = 4
_WITH_PHOTOS: Final = ROOT / "bench-output" / "edges.png"
_DRAWN: Final = ROOT / "docs" / "pictures" / "edges.png"
_DRAWN_SUBJECTS: Final = ("hair", "fur", "patterned")
_WHO: Final = ("rembg", "ours")


def write_sheets(shown: Shown) -> None:
    """One with the photos of the benchmark, never committed; one of drawings alone, for docs/."""
    _WITH_PHOTOS.parent.mkdir(exist_ok=True)
    _sheet(shown).save(_WITH_PHOTOS)
    drawn = [drawn_scene(name, seed) for seed, name in enumerate(_DRAWN_SUBJECTS, start=3)]
    cut = [
        (scene, {who: CONTENDERS[who](scene.photo, scene.masks[320]) for who in _WHO})
        for scene in drawn
    ]
    _sheet(cut).quantize(255, dither=Image.Dither.NONE).save(_DRAWN, optimize=True)


def _sheet(shown: Shown) -> Image.Image:
    rows = [_row(scene, cutouts) for scene, cutouts in shown]
    return Image.fromarray(np.vstack(rows))


def _row(scene: Scene, cutouts: dict[str, Pixels]) -> Pixels:
    """The photo, the mask, and then each contender and the truth on each background."""
    true = np.dstack([scene.truth.colours * 255, scene.truth.alpha * 255])
    seen = {who: cutouts[who] for who in _WHO if who in cutouts} | {"truth": true}
    place = _edge(scene)
    mask = enlarged(scene, scene.masks[320])[place]
    cells: list[npt.NDArray[Any]] = [
        scene.photo[place],
        np.repeat(mask[..., None] * 255, 3, axis=2),
    ]
    for background in BACKGROUNDS:
        for who in (*_WHO, "truth"):
            cutout = seen.get(who)
            cells.append(
                np.full((_SIDE, _SIDE, 3), 128)
                if cutout is None
                else over(
                    cutout[place][..., :3].astype(np.float32),
                    cutout[place][..., 3].astype(np.float32) / np.float32(255),
                    background,
                )
            )
    framed = [np.pad(cell, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255) for cell in cells]
    return np.hstack(framed).round().clip(0, 255).astype(np.uint8)


def _edge(scene: Scene) -> tuple[slice, slice]:
    """The square with the most half-transparent truth in it."""
    alpha = scene.truth.alpha
    soft = alpha * (1 - alpha)
    height, width = (size // _SIDE for size in alpha.shape)
    blocks = soft[: height * _SIDE, : width * _SIDE].reshape(height, _SIDE, width, _SIDE)
    row, column = np.unravel_index(blocks.sum(axis=(1, 3)).argmax(), (height, width))
    top, left = int(row) * _SIDE, int(column) * _SIDE
    return slice(top, top + _SIDE), slice(left, left + _SIDE)
