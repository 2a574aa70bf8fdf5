"""`make bench-edges`: our edges beside rembg's alpha matting and pymatting, against a known truth.

The rule of `auto` was chosen on one half of the subjects and backgrounds; the other half is what is
reported. MATTELINE_PHOTOS may name a folder with `lemur/`, real fur whose matte was measured.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Final

from rich.table import Table

from pipeline.cli.report import console
from pipeline.photo.pixels import Pixels
from tests.bench.edges.contenders import CONTENDERS, told_the_trimap
from tests.bench.edges.large import measure
from tests.bench.edges.mattes import by_subject, measured
from tests.bench.edges.scenes import Scene, scenes
from tests.bench.edges.scoring import cell, score
from tests.bench.edges.sheet import write_sheets
from tests.bench.edges.targets import INFORMED, Results, matte_table, target_table

# The whole of a vessel is unknown to a trimap: a minute and gigabytes a picture.
_TOO_MUCH_FOR_PEERS: Final = "glass"
_PEERS: Final = ("rembg", "pymatting")
_ONCE: Final = "pymatting"  # with the smaller mask alone, to end within minutes


def main() -> None:
    data = Path(os.environ.get("MATTELINE_PHOTOS", "../shared/data"))
    results: Results = defaultdict(list)
    of_mattes: Results = defaultdict(list)
    shown: list[tuple[Scene, dict[str, Pixels]]] = []
    for scene in scenes("reported", data=data):
        cutouts = _measured(scene, results)
        measured(scene, of_mattes)
        if scene.name.split()[0] not in {each.name.split()[0] for each, _ in shown}:
            shown.append((scene, cutouts))
        told = [f"{who} {cell(results[who, scene.kind, 320][-1:])}" for who in cutouts]
        console().print(f"{scene.name}: {', '.join(told)}", highlight=False)
    console().print(_by_kind(results))
    loads = {
        (who, megapixels, band): measure(who, megapixels, band)
        for who, megapixels, band in (
            ("rembg", 12, 4), ("ours", 12, 4), ("ours, fast", 12, 4),
            ("ours", 12, 40), ("ours", 50, 4), ("ours", 50, 40),
        )
    }  # fmt: skip
    console().print(target_table(results, loads))
    console().print(by_subject(of_mattes))
    console().print(matte_table(of_mattes))
    write_sheets(shown)


def _measured(scene: Scene, results: Results) -> dict[str, Pixels]:
    """Score everybody with both masks; the cut-outs made with the smaller one."""
    cutouts = {}
    for side, mask in scene.masks.items():
        for who, cut_out in CONTENDERS.items():
            if scene.kind == _TOO_MUCH_FOR_PEERS and who in _PEERS:
                continue
            if who == _ONCE and side > min(scene.masks):
                continue
            cutout = cut_out(scene.photo, mask)
            results[who, scene.kind, side].append(score(scene, mask, cutout))
            if side == min(scene.masks):
                cutouts[who] = cutout
    if scene.kind != _TOO_MUCH_FOR_PEERS:
        informed = told_the_trimap(scene.photo, scene.truth.alpha)
        for side, mask in scene.masks.items():
            results[INFORMED, scene.kind, side].append(score(scene, mask, informed))
    return cutouts


def _by_kind(results: Results) -> Table:
    """Each contender's alpha error as a multiple of its mask's, and its colour error."""
    table = Table(
        "subject", "mask", *CONTENDERS, title="alpha error × mask's · colour error of 255"
    )
    for kind, side in dict.fromkeys((kind, side) for _, kind, side in results):
        cells = [cell(results.get((who, kind, side), [])) for who in CONTENDERS]
        table.add_row(kind, f"{side}²", *cells)
    return table


if __name__ == "__main__":
    main()
