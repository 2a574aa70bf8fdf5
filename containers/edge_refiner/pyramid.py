"""Edges from coarse to fine: each round looks half as far as the one before, twice as sharply."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from containers.edge_refiner.grain import grain_of
from containers.edge_refiner.guided_filter import LinearModel, fit_linear_model
from containers.edge_refiner.mask import Alpha, doubt_in, doubtful, enlarge_mask
from containers.edge_refiner.tiling import Tile, each, tiles
from pipeline.photo import Pixels

_SIDE: Final = 160  # of a tile, in working pixels
_LEAST_BLUR: Final = 0.45
_COMFORTABLE_BLUR: Final = 2.2
_RADIUS_PER_BLUR: Final = 2.75
_LEAST_RADIUS: Final = 2


class Round(NamedTuple):
    """One fit: on a copy `reduction` times smaller, for a mask blurred by `blur` of its pixels."""

    reduction: int
    blur: float

    @property
    def radius(self) -> int:
        return max(_LEAST_RADIUS, round(_RADIUS_PER_BLUR * self.blur))

    @property
    def halo(self) -> int:
        """Nothing further away changes a pixel: three blurs each way, and three windows."""
        return math.ceil(6 * self.blur) + 3 * self.radius


def plan_rounds(blur: float, *, finest: int) -> list[Round]:
    """For a mask blurred by `blur` photo pixels; no copy finer than 1/`finest` of the photo."""
    rounds: list[Round] = []
    while not rounds or blur / finest >= _LEAST_BLUR:
        reduction = finest
        while blur / reduction > _COMFORTABLE_BLUR:
            reduction *= 2
        rounds.append(Round(reduction, max(blur / reduction, _LEAST_BLUR)))
        blur /= 2
    return rounds


def follow_edges(
    rgb: Pixels, mask: Pixels, doubt: Pixels, rounds: Sequence[Round], *, threads: int | None = None
) -> Alpha:
    """The h×w mask made to follow the edges of an H×W×3 photo, in the band `doubt` only."""
    copies = {round_.reduction: _reduced(rgb, round_.reduction) for round_ in rounds} | {1: rgb}
    alpha = enlarge_mask(mask, copies[rounds[0].reduction].shape)
    for round_, target in zip(rounds, [*(later.reduction for later in rounds[1:]), 1], strict=True):
        finer = enlarge_mask(mask, copies[target].shape)
        ratio = round_.reduction // target
        busy = doubtful(tiles(finer.shape, _SIDE * ratio), doubt, finer.shape)
        grain = grain_of(copies[target], busy)
        step = _Step(round_, ratio, grain, copies[round_.reduction], copies[target])
        each(
            busy,
            lambda tile, step=step, alpha=alpha, finer=finer: step.refine(  # type: ignore[misc]
                tile, alpha, doubt, finer
            ),
            threads=threads,
        )
        alpha = finer
    return alpha


class _Step(NamedTuple):
    """From a copy to one `ratio` times finer, or to itself."""

    round: Round
    ratio: int
    grain: float
    source: Pixels
    target: Pixels

    def refine(self, tile: Tile, coarse: Alpha, doubt: Pixels, onto: Alpha) -> None:
        """Fit on the source around one tile of the target, apply there, fade in at the band."""
        place = tile.reduced(self.ratio, halo=self.round.halo, shape=self.source.shape)
        model = fit_linear_model(
            self.source[place.inside],
            coarse[place.inside],
            blur=self.round.blur,
            radius=self.round.radius,
            grain=self.grain,
        )
        for piece in doubtful(tile.pieces(_SIDE), doubt, onto.shape):
            self._apply(model, piece, place, doubt, onto)

    def _apply(
        self, model: LinearModel, piece: Tile, place: Tile, doubt: Pixels, onto: Alpha
    ) -> None:
        found = model.applied(
            self.target[piece.inside],
            lambda plane: piece.enlarged_from(plane, place, self.ratio),
        )
        before = onto[piece.inside]
        found -= before
        found *= doubt_in(piece, doubt, onto.shape)
        before += found


def _reduced(rgb: Pixels, reduction: int) -> Pixels:
    return rgb if reduction == 1 else np.asarray(Image.fromarray(rgb).reduce(reduction))
