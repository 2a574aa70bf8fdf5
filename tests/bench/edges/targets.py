"""What was aimed at, and whether it was met: ratios of one run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from rich.table import Table

from tests.bench.edges.large import Load
from tests.bench.edges.masks import RATIOS
from tests.bench.edges.scoring import Score

Results = dict[tuple[str, str, int], list[Score]]
Loads = Mapping[tuple[str, int, int], Load]

INFORMED: Final = "told the trimap"  # closed form, spared every mistake of a mask
_EVERYBODY: Final = ("rembg", "pymatting", INFORMED, "ours")
_SIDES: Final = (1024, 320)


class Line(NamedTuple):
    """A figure of everybody, in their order; empty where it was not measured."""

    figure: str
    found: tuple[str, ...]
    target: str
    met: bool


def target_table(results: Results, loads: Loads) -> Table:
    table = Table("figure", *_EVERYBODY, "target", "", title="edges, one run")
    for line in (*_accuracy(results), *_colour(results), *_cost(loads)):
        table.add_row(line.figure, *line.found, line.target, "met" if line.met else "missed")
    return table


def matte_table(results: Results) -> Table:
    """With the masks of matting networks: `auto` alone has targets."""
    table = Table("figure", "auto", "target", "", title="edges of matting networks, one run")
    lemur, hair, hard = (
        [ratio for side in RATIOS for ratio in _each(results, "auto", kind, side, "ratio")]
        for kind in ("lemur", "hair", "hard")
    )
    wanted = [
        ("real fur: error × mask's", _mean(lemur), 0.95),
        ("real fur: the worst scene", max(lemur, default=math.nan), 1.04),
        ("drawn hair: error × mask's", _mean(hair), 0.65),
        ("hard edges: error × mask's", _mean(hard), 1.02),
    ]
    for figure, found, most in wanted:
        if not math.isnan(found):
            met = "met" if found <= most else "missed"
            table.add_row(figure, f"{found:.2f}", f"≤ {most:g}", met)
    return table


def _accuracy(results: Results) -> list[Line]:
    """Alpha errors as multiples of those of the mask they began with, means over scenes."""
    wanted = {("hair", 1024): 0.75, ("hair", 320): 0.50, ("hard", 1024): 1.02, ("hard", 320): 1.02}
    lines = [
        _line(f"{kind}, {side}² mask: error × mask's", _ratios(results, kind, side), most)
        for (kind, side), most in wanted.items()
    ]
    for side, most in zip(_SIDES, (0.67, 0.91), strict=True):
        found = _ratios(results, "lemur", side)
        if found:
            lines.append(_line(f"real fur, {side}² mask: error × mask's", found, most))
    worst = {
        who: max(
            (ratio for side in _SIDES for ratio in _each(results, who, "hard", side, "ratio")),
            default=math.nan,
        )
        for who in _EVERYBODY
    }
    lines.append(_line("hard edges: the worst scene", worst, 1.02))
    return lines


def _colour(results: Results) -> list[Line]:
    errors, brightness = (
        {who: _mean(_but_glass(results, who, field)) for who in _EVERYBODY}
        for field in ("colour", "brightness")
    )
    within = 0.98 <= brightness["ours"] <= 1.02
    shown = _shown(brightness, 2)
    return [
        _line("colour error in soft pixels, of 255", errors, 8, digits=1),
        Line("RGB ÷ subject's own at alpha ≈ 128", shown, "0.98 … 1.02", within),
    ]


def _cost(loads: Loads) -> list[Line]:
    theirs, own = loads["rembg", 12, 4], loads["ours", 12, 4]
    lines = [
        _beside(
            "12 MP: processor time, s", f"{theirs.seconds:.1f}", f"{own.seconds:.1f}",
            "≤ ⅛", met=own.seconds <= theirs.seconds / 8,
        ),
        _beside(
            "12 MP: memory beyond the photo, MB", f"{theirs.extra_mb:,.0f}", f"{own.extra_mb:,.0f}",
            "≤ ⅒", met=own.extra_mb <= theirs.extra_mb / 10,
        ),
    ]  # fmt: skip
    for (who, megapixels, band), load in loads.items():
        if who != "rembg" and (who, megapixels, band) != ("ours", 12, 4):
            told = f"{load.seconds:.1f} s, {load.extra_mb:,.0f} MB"
            name = f"{who}: {megapixels} MP, {band} % band"
            lines.append(_beside(name, "", told, "≤ rembg's", met=load.seconds <= theirs.seconds))
    return lines


def _beside(figure: str, theirs: str, own: str, target: str, *, met: bool) -> Line:
    return Line(figure, (theirs, *[""] * (len(_EVERYBODY) - 2), own), target, met)


def _line(figure: str, values: Mapping[str, float], most: float, *, digits: int = 2) -> Line:
    return Line(figure, _shown(values, digits), f"≤ {most:g}", values["ours"] <= most)


def _shown(values: Mapping[str, float], digits: int) -> tuple[str, ...]:
    known = [values.get(who, math.nan) for who in _EVERYBODY]
    return tuple("" if math.isnan(value) else f"{value:.{digits}f}" for value in known)


def _ratios(results: Results, kind: str, side: int) -> dict[str, float]:
    found = {who: _each(results, who, kind, side, "ratio") for who in _EVERYBODY}
    return {who: _mean(values) for who, values in found.items() if values}


def _but_glass(results: Results, who: str, field: str) -> list[float]:
    return [
        value
        for name, kind, side in results
        if name == who and kind != "glass"
        for value in _each(results, who, kind, side, field)
    ]


def _each(results: Results, who: str, kind: str, side: int, field: str) -> list[float]:
    return [getattr(score, field) for score in results.get((who, kind, side), [])]


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
