"""The manifest of a published cut-out says how its edges were made."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.execution.driver import Driver
from tests.pictures import png, square, unpng


def published(driver: Driver, key: str, **options: str) -> dict[str, Any]:
    execution = driver.drop(png(square()), key, **options)
    assert execution.status == "SUCCEEDED", execution.reason
    manifest: dict[str, Any] = json.loads(driver.read(execution.output["manifest"]))
    return manifest


@pytest.mark.parametrize(
    ("refine", "resolution"), [("none", None), ("fast", "full"), ("matting", "full")]
)
def test_the_mode_the_budget_and_the_resolution_are_recorded(
    driver: Driver, refine: str, resolution: str | None
) -> None:
    manifest = published(driver, f"edges/{refine}.png", refine=refine)

    refinement = manifest["refinement"]
    assert (refinement["mode"], refinement["resolution"]) == (refine, resolution)
    assert refinement["budget_mb"] > 0
    assert refinement["kept_mask"] is None


def test_auto_follows_five_eighths_of_its_change_to_the_mask_of_a_matting_network(
    driver: Driver,
) -> None:
    """The row says that its output is alpha, and the refiner hears of it."""
    alphas = {}
    for name, options in {
        "mask": {"model": "brightness", "refine": "none"},
        "found": {"model": "brightness", "refine": "auto"},
        "followed": {"model": "matting", "refine": "auto"},
    }.items():
        (picture,) = published(driver, f"edges/{name}.png", **options)["pictures"]
        alphas[name] = unpng(driver.read(picture["uri"]))[..., 3].astype(float)

    assert np.abs(alphas["found"] - alphas["mask"]).max() > 20
    share = alphas["mask"] + 0.625 * (alphas["found"] - alphas["mask"])
    np.testing.assert_allclose(alphas["followed"], share, atol=1.01)


def test_effort_margin_and_veil_reach_the_published_picture(driver: Driver) -> None:
    manifest = published(
        driver, "edges/framed.png", crop="true", margin="25", background="#ff000080", effort="small"
    )

    (picture,) = manifest["pictures"]
    cutout = unpng(driver.read(picture["uri"]))
    assert cutout.shape[0] == cutout.shape[1] == pytest.approx(32 * 1.5, abs=4)
    np.testing.assert_array_equal(cutout[0, 0], (255, 0, 0, 128))
