"""Points and boxes as they are typed: `--point 412,280 --point 30,20,0 --box 100,80,640,700`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, Literal

import click

from pipeline.photo.prompts import MOST_POINTS, MOST_SUBJECTS, Box, Point, SubjectPrompt

_LABELS: Final[dict[tuple[str, ...], Literal[0, 1]]] = {(): 1, ("1",): 1, ("0",): 0}


def prompt_metadata(points: Sequence[str], boxes: Sequence[str]) -> dict[str, str]:
    """The prompts as object metadata; UsageError for a mark that cannot be read.

    One subject, shown by all points and the box. Each of several boxes is a subject of its own.
    """
    if not points and not boxes:
        return {}
    if points and len(boxes) > 1:
        raise click.UsageError("--point and more than one --box: whose would the point be?")
    if len(points) > MOST_POINTS or len(boxes) > MOST_SUBJECTS:
        raise click.UsageError(f"at most {MOST_POINTS} --point or {MOST_SUBJECTS} --box")
    shown = tuple(map(_point, points))
    prompts = [SubjectPrompt(points=shown, box=box) for box in map(_box, boxes)]
    prompts = prompts or [SubjectPrompt(points=shown)]
    content = json.dumps([prompt.model_dump(exclude_defaults=True) for prompt in prompts])
    return {"prompts": content}


def _point(text: str) -> Point:
    try:
        x, y, *label = text.split(",")
        return Point(x=float(x), y=float(y), label=_LABELS[tuple(label)])
    except (ValueError, KeyError):
        raise click.UsageError(f"--point {text}: write X,Y, or off the subject X,Y,0") from None


def _box(text: str) -> Box:
    try:
        x0, y0, x1, y1 = map(float, text.split(","))
        return Box(x0=x0, y0=y0, x1=x1, y1=y1)
    except ValueError:
        raise click.UsageError(f"--box {text}: write X0,Y0,X1,Y1, top left first") from None
