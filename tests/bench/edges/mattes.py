"""Masks of matting networks: how much of its own change `auto` should follow.

python -m tests.bench.edges.mattes

prints the errors by that share, on the half of the scenes that it is chosen on. Then it reports
every mode on the other half, as `make bench-edges` does.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Final

import numpy as np
from rich.table import Table

from containers.edge_refiner.alpha import FOLLOWED
from pipeline.cli.report import console
from pipeline.photo.pixels import Pixels
from tests.bench.edges.contenders import OF_MATTES
from tests.bench.edges.scenes import Half, Scene, scenes
from tests.bench.edges.scoring import cell, enlarged, score
from tests.bench.edges.targets import Results, matte_table

_SHARES: Final = (0.25, 0.375, 0.5, 0.625, 0.75, 1.0)


def measured(scene: Scene, results: Results) -> None:
    """Score every mode with the mattes of a scene."""
    for ratio, matte in scene.mattes.items():
        for who, cut_out in OF_MATTES.items():
            found = score(scene, matte, cut_out(scene.photo, matte))
            results[who, scene.kind, ratio].append(found)


def by_subject(results: Results) -> Table:
    names = dict.fromkeys(who for who, _, _ in results)
    title = "masks of matting networks: alpha error × mask's · colour error of 255"
    table = Table("subject", "photo pixels a mask pixel", *names, title=title)
    for kind, ratio in dict.fromkeys((kind, ratio) for _, kind, ratio in results):
        cells = [cell(results[who, kind, ratio]) for who in names]
        table.add_row(kind, f"{ratio}", *cells)
    return table


def _by_share(half: Half, data: Path) -> Table:
    """Mean alpha error, as a multiple of the mask's; the worst scene's too where it matters."""
    found: dict[tuple[str, int], list[dict[float, float]]] = defaultdict(list)
    for scene in scenes(half, data=data):
        for ratio, matte in scene.mattes.items():
            found[scene.kind, ratio].append(_ratios(scene, matte))
    table = Table("subject", "photo pixels a mask pixel", *(f"{share:g}" for share in _SHARES))
    table.title = f"share of its change that auto follows; scenes: {half}"
    for (kind, ratio), scores in found.items():
        cells = []
        for share in _SHARES:
            each = [one[share] for one in scores]
            cells.append(f"{sum(each) / len(each):.2f} (worst {max(each):.2f})")
        table.add_row(kind, f"{ratio}", *cells)
    return table


def _ratios(scene: Scene, matte: Pixels) -> dict[float, float]:
    """The error for each share. The change is linear in it, so one cut-out has them all."""
    true, mask = scene.truth.alpha, enlarged(scene, matte)
    alpha = OF_MATTES["auto"](scene.photo, matte)[..., 3].astype(np.float32) / np.float32(255)
    change = (alpha - mask) / np.float32(FOLLOWED)
    before = float(np.abs(mask - true).sum())
    return {
        share: float(np.abs(mask + np.float32(share) * change - true).sum()) / before
        for share in _SHARES
    }


if __name__ == "__main__":
    photos = Path(os.environ.get("MATTELINE_PHOTOS", "../shared/data"))
    console().print(_by_share("chosen on", photos))
    reported: Results = defaultdict(list)
    for each in scenes("reported", data=photos):
        measured(each, reported)
    console().print(by_subject(reported))
    console().print(matte_table(reported))
