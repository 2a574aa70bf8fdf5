"""How far a cut-out is from the truth."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from pipeline.photo.pixels import Pixels
from tests.bench.edges.drawing import Plane
from tests.bench.edges.scenes import Scene

BACKGROUNDS: Final = ((255, 255, 255), (0, 0, 0), (0, 178, 0))
_SOFT: Final = (0.02, 0.98)
_HALF: Final = (118, 138)
_MANY: Final = 50


class Score(NamedTuple):
    """Sums of |alpha error|, the mask's and the cut-out's; colour errors in levels of 255.

    `colour` is over three new backgrounds, in pixels that are truly soft. `brightness` is the
    cut-out's colour at half opacity as a multiple of the subject's own; NaN where there is none.
    """

    mask: float
    alpha: float
    colour: float
    brightness: float

    @property
    def ratio(self) -> float:
        return self.alpha / self.mask


def score(scene: Scene, mask: Pixels, cutout: Pixels) -> Score:
    """An H×W×4 cut-out made with a mask of the scene."""
    alpha = cutout[..., 3].astype(np.float32) / np.float32(255)
    true = scene.truth.alpha
    return Score(
        mask=float(np.abs(enlarged(scene, mask) - true).sum()),
        alpha=float(np.abs(alpha - true).sum()),
        colour=_colour_error(scene, cutout[..., :3].astype(np.float32), alpha),
        brightness=_brightness(scene, cutout),
    )


def cell(scores: list[Score]) -> str:
    """Alpha error as a multiple of the mask's, and colour error of 255, means over scenes."""
    if not scores:
        return "–"
    ratio = sum(each.ratio for each in scores) / len(scores)
    colour = sum(each.colour for each in scores) / len(scores)
    return f"{ratio:.2f} · {colour:.1f}"


def enlarged(scene: Scene, mask: Pixels) -> Plane:
    """A mask at the photo's size, as it would be used with no refinement."""
    size = scene.photo.shape[1], scene.photo.shape[0]
    image = Image.fromarray(mask).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def over(colours: Plane, alpha: Plane, background: tuple[int, int, int]) -> Plane:
    """H×W×3 in 0…255: what is seen on a new background."""
    weight = alpha[..., None]
    seen: Plane = colours * weight + np.array(background, dtype=np.float32) * (1 - weight)
    return seen


def _colour_error(scene: Scene, colours: Plane, alpha: Plane) -> float:
    true = scene.truth
    soft = (true.alpha > _SOFT[0]) & (true.alpha < _SOFT[1])
    errors = [
        np.abs(over(colours, alpha, ground) - over(true.colours * 255, true.alpha, ground))[soft]
        for ground in BACKGROUNDS
    ]
    return float(np.mean(errors))


def _brightness(scene: Scene, cutout: Pixels) -> float:
    half = (cutout[..., 3] >= _HALF[0]) & (cutout[..., 3] <= _HALF[1]) & (scene.truth.alpha > 0.2)
    if half.sum() < _MANY:
        return float("nan")
    return float(cutout[half][:, :3].sum() / (scene.truth.colours[half] * 255).sum())
