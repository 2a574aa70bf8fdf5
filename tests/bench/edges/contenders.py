"""Photo and mask to cut-out: ours in each mode, rembg's alpha matting, pymatting."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.edge_refiner.alpha import estimate_alpha
from containers.edge_refiner.box_filter import box_mean
from containers.edge_refiner.budget import Budget
from containers.edge_refiner.edge_band import Band, enlarge_mask
from containers.edge_refiner.pictures import compose
from pipeline.contracts.cutout import Output, Refine
from pipeline.declared.containers import load_container
from pipeline.photo.pixels import Photo, Pixels
from tests.bench.edges.drawing import Plane
from tests.conftest import ROOT

CutOut = Callable[[Pixels, Pixels], Pixels]
_Exact = npt.NDArray[np.float64]

_BUDGET: Final = Budget(load_container(ROOT / "containers" / "edge_refiner").memory_mb)
_CERTAIN: Final = 0.01
_AROUND: Final = 2  # pixels


def ours(mode: Refine, output: Output = "mask") -> CutOut:
    def cut_out(photo: Pixels, mask: Pixels) -> Pixels:
        taken = Photo(photo, None, None, None)
        _, alpha = estimate_alpha(taken, mask, output=output, mode=mode, budget=_BUDGET)
        return compose(taken, alpha, None)

    return cut_out


def rembg(photo: Pixels, mask: Pixels) -> Pixels:
    """With `-a`, at its own thresholds; as it does, the plain mask where matting gives up."""
    from rembg.bg import alpha_matting_cutout, naive_cutout

    picture, size = Image.fromarray(photo), (photo.shape[1], photo.shape[0])
    enlarged = Image.fromarray(mask).resize(size, Image.Resampling.LANCZOS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.asarray(alpha_matting_cutout(picture, enlarged, 240, 10, 10))
        except ValueError:
            return np.asarray(naive_cutout(picture, enlarged))


def pymatting(photo: Pixels, mask: Pixels) -> Pixels:
    """Closed form on the whole picture, in the same band as ours."""
    coarse = enlarge_mask(mask, photo.shape)
    trimap = _trimap(coarse, enlarge_mask(Band.of(mask, photo.shape).edge, photo.shape) > 0)
    # It refuses a trimap without certain subject: the mask is kept.
    return _closed_form(photo, trimap) if (trimap == 1).any() else _unmixed(photo, coarse)


def told_the_trimap(photo: Pixels, true: Plane) -> Pixels:
    """Closed form that is told what is certain: all but the truly soft and two pixels around."""
    soft = ((true > _CERTAIN) & (true < 1 - _CERTAIN)).astype(np.float32)
    return _closed_form(photo, _trimap(true, box_mean(soft, _AROUND) > 0))


def _trimap(guess: Plane, band: npt.NDArray[np.bool_]) -> _Exact:
    return np.where(band, 0.5, np.round(guess)).astype(np.float64)


def _closed_form(photo: Pixels, trimap: _Exact) -> Pixels:
    from pymatting import estimate_alpha_cf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _unmixed(photo, estimate_alpha_cf(photo.astype(np.float64) / 255, trimap))


def _unmixed(photo: Pixels, alpha: Plane | _Exact) -> Pixels:
    """With the colours that pymatting finds for a matte."""
    from pymatting import estimate_foreground_ml

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        colours = estimate_foreground_ml(photo.astype(np.float64) / 255, alpha.astype(np.float64))
    levels = np.clip(np.dstack([colours, alpha]), 0, 1) * 255
    cutout: Pixels = levels.round().astype(np.uint8)
    return cutout


CONTENDERS: Final[dict[str, CutOut]] = {
    "ours": ours("auto"),
    "ours, fast": ours("fast"),
    "ours, matting": ours("matting"),
    "rembg": rembg,
    "pymatting": pymatting,
}
# With the masks of matting networks. The last one is told that the network is not one.
OF_MATTES: Final[dict[str, CutOut]] = {
    "auto": ours("auto", "alpha"),
    "fast": ours("fast", "alpha"),
    "matting": ours("matting", "alpha"),
    "auto, as of a mask": ours("auto"),
}
