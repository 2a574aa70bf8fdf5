"""Draw what a model's function takes over its memory: time and price, as a picture in SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10
from textwrap import shorten
from typing import Final

from pipeline.cli.printable import printable
from pipeline.operations.tuning import Size, Tuning

# The colours of contact sheets: paper, ink and the grey of their checkerboard.
_PAPER: Final = "#fafafa"
_INK: Final = "#282828"
_GREY: Final = "#cccccc"
_TIME: Final = "#1f5fa8"
_PRICE: Final = "#a8471f"
_WIDTH: Final = 760
_LEFT: Final = 76
_RIGHT: Final = 28
_PANEL: Final = 190
_TOP: Final = 116
_GAP: Final = 62
_FOOT: Final = 92
_TICKS: Final = 4
_ROUND: Final = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10)  # a quarter of each is short to write
_LONGEST: Final = 90  # characters of a line
_OPENING: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
    'height="{height}" role="img" aria-labelledby="title desc" '
    'font-family="system-ui, sans-serif" font-size="13">'
)


@dataclass(frozen=True)
class _Panel:
    """One of the two charts: its title, what it shows of a size, and where it is."""

    title: str
    colour: str
    value: Callable[[Size], float | None]
    unit: Callable[[float], str]
    top: int


def draw(tuning: Tuning) -> str:
    """Return a self-contained SVG: two charts, the proposed size marked, and what was measured."""
    panels = (
        _Panel("Time of a warm call", _TIME, _seconds, "{:.3g} s".format, _TOP),
        _Panel("Price of 1,000 calls", _PRICE, _dollars, "${:.3g}".format, _TOP + _PANEL + _GAP),
    )
    height = panels[-1].top + _PANEL + _FOOT
    heading = f"{tuning.model}: time and price over memory"
    return "\n".join(
        [
            _OPENING.format(width=_WIDTH, height=height),
            f'<title id="title">{escape(heading)}</title>',
            f'<desc id="desc">{escape(_described(tuning))}</desc>',
            f'<rect width="{_WIDTH}" height="{height}" fill="{_PAPER}"/>',
            _text(_LEFT, 34, heading, size=20),
            _text(_LEFT, 54, shorten(printable(tuning.given), _LONGEST, placeholder=" …")),
            _text(_LEFT, 72, tuning.where),
            *(line for panel in panels for line in _panel(tuning, panel)),
            *_legend(height),
            "</svg>\n",
        ]
    )


def _described(tuning: Tuning) -> str:
    told = [
        f"{size.memory_mb} MB: {size.seconds:.3g} s, ${size.dollars_per_1000:.3g} per 1,000"
        for size in tuning.sizes
        if size.seconds is not None and size.dollars_per_1000 is not None
    ]
    best = tuning.proposed
    return "; ".join([*told, f"proposed: {best.memory_mb} MB" if best else "no size is proposed"])


def _panel(tuning: Tuning, panel: _Panel) -> Iterator[str]:
    known = [(size, value) for size in tuning.sizes if (value := panel.value(size)) is not None]
    largest = _round_up(max((value for _, value in known), default=1.0))
    bottom = panel.top + _PANEL
    yield _text(_LEFT, panel.top - 10, panel.title, colour=panel.colour)
    for tick in range(_TICKS + 1):
        y = bottom - _PANEL * tick / _TICKS
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{_GREY}"/>'
        yield _text(_LEFT - 8, y + 4, panel.unit(largest * tick / _TICKS), anchor="end")
    place = _places(tuning.sizes)
    points = [
        (size, place(size.memory_mb), bottom - _PANEL * value / largest) for size, value in known
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for _, x, y in points)
    yield f'<polyline points="{path}" fill="none" stroke="{panel.colour}" stroke-width="2"/>'
    for size, x, y in points:
        fill = _PAPER if size.calculated else panel.colour
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{panel.colour}" '
            'stroke-width="2"/>'
        )
        if size == tuning.proposed:
            yield (
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="none" stroke="{_INK}" '
                'stroke-width="2" class="proposed"/>'
            )
            line = f"M{x:.1f} {panel.top}V{bottom}"
            yield f'<path d="{line}" stroke="{_INK}" stroke-dasharray="3 4"/>'
    for size in tuning.sizes:
        x = place(size.memory_mb)
        yield f'<path d="M{x:.1f} {bottom}v5" stroke="{_INK}"/>'
        yield _text(x, bottom + 20, f"{size.memory_mb:,}", anchor="middle")
        if size.error:
            yield _text(x, bottom - 8, "×", anchor="middle", size=18)


def _legend(height: int) -> Iterator[str]:
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, height - 50, "memory in MB", anchor="middle")
    yield _text(
        _LEFT,
        height - 22,
        "ring: proposed · filled: measured · open: calculated from CPU-seconds · ×: no result",
    )


def _places(sizes: Sequence[Size]) -> Callable[[int], float]:
    """Return where a memory is on the axis; equal steps, because sizes lie far apart."""
    ordered = sorted(size.memory_mb for size in sizes)
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(ordered))
    return lambda memory_mb: _LEFT + step * (ordered.index(memory_mb) + 0.5)


def _round_up(value: float) -> float:
    """Return the next number above that is short to write."""
    unit = 10.0 ** floor(log10(value)) if value > 0 else 1.0
    return next(unit * digit for digit in _ROUND if unit * digit >= value * 0.999)


def _seconds(size: Size) -> float | None:
    return size.seconds


def _dollars(size: Size) -> float | None:
    return size.dollars_per_1000


def _text(  # noqa: PLR0913 - what a text has
    x: float, y: float, text: str, *, anchor: str = "start", colour: str = _INK, size: int = 13
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="{size}">{escape(text)}</text>'
    )
