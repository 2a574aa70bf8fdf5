"""As coarse as the mask is first, and the finest copy twice."""

from __future__ import annotations

import pytest

from containers.edge_refiner.separation import plan_copies


@pytest.mark.parametrize(
    ("mask_pixel", "finest", "copies"),
    [
        (1.0, 1, [1, 1]),
        (1.9, 1, [1, 1]),
        (3.75, 1, [2, 1, 1]),
        (3.75, 2, [2, 2]),
        (12.5, 2, [8, 4, 4]),
        (12.5, 8, [8, 8]),
        (1.0, 4, [4, 4]),
    ],
)
def test_copies(mask_pixel: float, finest: int, copies: list[int]) -> None:
    assert plan_copies(mask_pixel, finest=finest) == copies
