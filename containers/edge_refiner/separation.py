"""Alpha from colour, in the edge band, copy by copy and tile by tile.

The layers' colours around a pixel (`layers`) have an opinion about its alpha (`opinion`), which is
weighed against the matte so far. See docs/decisions/0022.
"""

from __future__ import annotations

import math
from typing import Final

from containers.edge_refiner.copies import Copy
from containers.edge_refiner.mask import Alpha, blend, doubtful
from containers.edge_refiner.tiling import Tile, each, tiles
from pipeline.photo.pixels import Pixels

_SIDE: Final = 160  # of a tile, in working pixels
_AGAIN: Final = 0.5  # what colour has said once at a size is hardly news the second time


def separate(photo: Pixels, alpha: Alpha, doubt: Pixels, *, mask_pixel: float, finest: int) -> None:
    """Improve an H×W `alpha` in the band `doubt`, in place.

    `mask_pixel` is in pixels of the H×W×3 photo; no copy is finer than 1/`finest` of it.
    """
    last = 0
    for reduction in plan_copies(mask_pixel, finest=finest):
        share = _AGAIN if reduction == last else 1
        copy = Copy.of(photo, alpha, reduction, mask_pixel=mask_pixel, share=share)
        busy = doubtful(tiles(alpha.shape, _SIDE * reduction), doubt, alpha.shape)
        each(busy, lambda tile, copy=copy: _improve(copy, tile, photo, doubt, onto=alpha))  # type: ignore[misc]
        last = reduction


def plan_copies(mask_pixel: float, *, finest: int) -> list[int]:
    """How many times smaller the copies are, from coarse to fine, the finest twice.

    Two sizes where the mask is coarse, one where it is as fine as the photo. With a better matte
    the layers' colours are better known, hence once more.
    """
    coarse = 2 ** max(0, round(math.log2(mask_pixel)) - 1)
    wanted = (coarse, max(coarse // 2, 1)) if mask_pixel >= 2 else (coarse,)
    sizes = sorted({max(finest, reduction) for reduction in wanted}, reverse=True)
    return [*sizes, sizes[-1]]


def _improve(copy: Copy, tile: Tile, photo: Pixels, doubt: Pixels, *, onto: Alpha) -> None:
    """Reconsider the matte on the copy around one tile of the photo, and blend the result in."""
    place = tile.reduced(copy.reduction, halo=copy.halo, shape=copy.alpha.shape)
    model = copy.reconsidered(place)
    for piece in doubtful(tile.pieces(_SIDE), doubt, onto.shape):
        found = model.applied(
            photo[piece.inside],
            onto[piece.inside],
            lambda plane, piece=piece: piece.enlarged_from(plane, place, copy.reduction),  # type: ignore[misc]
        )
        blend(found, piece, doubt, onto=onto)
