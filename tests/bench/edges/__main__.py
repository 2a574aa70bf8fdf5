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
from tests.bench.edges.scenes import Scene, scenes
from tests.bench.edges.scoring import Score, score
from tests.bench.edges.sheet import write_sheets
from tests.bench.edges.targets import INFORMED, Results, target_table

# The whole of a vessel is unknown to a trimap: a minute and gigabytes a picture.
_TOO_MUCH_FOR_PEERS: Final = "glass"
_PEERS: Final = ("rembg", "pymatting")
_ONCE: Final = "pymatting"  # with the smaller mask alone, to end within minutes


def main() -> None:
    data = Path(os.environ.get("MATTELINE_PHOTOS", "../shared/data"))
    results: Results = defaultdict(list)
    shown: list[tuple[Scene, dict[str, Pixels]]] = []
    for scene in scenes("reported", data=data):
        cutouts = _measured(scene, results)
        if scene.name.split()[0] not in {each.name.split()[0] for each, _ in shown}:
            shown.append((scene, cutouts))
        told = [f"{who} {_cell(results[who, scene.kind, 320][-1:])}" for who in cutouts]
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
            results[who, scene.kind, side].append(score(scene, side, cutout))
            if side == min(scene.masks):
                cutouts[who] = cutout
    if scene.kind != _TOO_MUCH_FOR_PEERS:
        informed = told_the_trimap(scene.photo, scene.truth.alpha)
        for side in scene.masks:
            results[INFORMED, scene.kind, side].append(score(scene, side, informed))
    return cutouts


def _by_kind(results: Results) -> Table:
    """Each contender's alpha error as a multiple of its mask's, and its colour error."""
    table = Table(
        "subject", "mask", *CONTENDERS, title="alpha error × mask's · colour error of 255"
    )
    for kind, side in dict.fromkeys((kind, side) for _, kind, side in results):
        cells = [_cell(results.get((who, kind, side), [])) for who in CONTENDERS]
        table.add_row(kind, f"{side}²", *cells)
    return table


def _cell(scores: list[Score]) -> str:
    if not scores:
        return "–"
    ratio = sum(each.ratio for each in scores) / len(scores)
    colour = sum(each.colour for each in scores) / len(scores)
    return f"{ratio:.2f} · {colour:.1f}"


if __name__ == "__main__":
    main()
