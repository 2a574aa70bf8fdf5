"""What is far away is the same for every tile that asks."""

from __future__ import annotations

import numpy as np
import pytest

from containers.edge_refiner.surroundings import Surroundings
from containers.edge_refiner.tiling import Tile
from tests.containers.edge_refiner import disk, fabric, over

SIDE = 256
MATTE = disk(SIDE, softness=12)
PICTURE = over(
    fabric(SIDE, (190, 120, 90), cell=6, seed=1), fabric(SIDE, (70, 90, 130), cell=8, seed=2), MATTE
)


@pytest.mark.parametrize(
    "place", [Tile(0, 0, 80, 80), Tile(101, 33, 190, 121), Tile(200, 250, 256, 256)]
)
def test_a_part_is_told_what_the_whole_is_told(place: Tile) -> None:
    surroundings = Surroundings.of(PICTURE, MATTE)

    part, whole = surroundings.around(place), surroundings.around(Tile(0, 0, SIDE, SIDE))

    for few, many in zip(part, whole, strict=True):
        for planes, expected in zip(few, many, strict=True):
            np.testing.assert_allclose(planes, expected[:, *place.inside], atol=1e-4)
