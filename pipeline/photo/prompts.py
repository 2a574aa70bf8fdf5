"""Points and boxes that show a model its subjects, checked against a photo."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import InvalidPrompt

Coordinate = Annotated[float, Field(strict=True, allow_inf_nan=False)]
MOST_SUBJECTS: Final = 8
MOST_POINTS: Final = 16


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Point(_Value):
    """A point on the subject (label 1) or on the background (label 0)."""

    x: Coordinate
    y: Coordinate
    label: Literal[0, 1] = 1


class Box(_Value):
    """A box from its top left corner, x0 and y0, to its bottom right corner, x1 and y1."""

    x0: Coordinate
    y0: Coordinate
    x1: Coordinate
    y1: Coordinate


class SubjectPrompt(_Value):
    """One subject: points on or off it, a box around it, or both."""

    points: tuple[Point, ...] = Field(default=(), max_length=MOST_POINTS)
    box: Box | None = None


class _Place(NamedTuple):
    name: str
    field: str
    x: float
    y: float


def in_pixels(
    prompts: tuple[SubjectPrompt, ...], *, width: int, height: int
) -> tuple[SubjectPrompt, ...]:
    """Convert prompts to pixels of an upright photo. InvalidPrompt names the first invalid one.

    If no coordinate is above 1, all are fractions of the photo's width and height.
    """
    places = [place for number, one in enumerate(prompts, 1) for place in _places(number, one)]
    fractions = all(max(place.x, place.y) <= 1 for place in places)
    if not fractions:
        _require_pixels(places)
    right, bottom = (1, 1) if fractions else (width, height)
    for place in places:
        if not (0 <= place.x <= right and 0 <= place.y <= bottom):
            raise _invalid(
                place.field,
                f"{place.name} at {place.x:g},{place.y:g} is outside the photo: x goes from 0 to "
                f"{width} and y from 0 to {height} pixels, or both from 0 to 1",
            )
    scale = (width, height) if fractions else (1, 1)
    scaled = tuple(_scaled(prompt, *scale) for prompt in prompts)
    for number, (prompt, rounded) in enumerate(zip(prompts, scaled, strict=True), 1):
        _require_subject(number, prompt, rounded.box)
    return scaled


def _invalid(field: str, message: str) -> InvalidPrompt:
    error = InvalidPrompt(message)
    error.field = field
    return error


def _places(number: int, prompt: SubjectPrompt) -> Iterator[_Place]:
    subject, field = f"subject {number}", f"{number - 1}"
    for index, point in enumerate(prompt.points):
        place = f"{field}.points.{index}"
        yield _Place(f"{subject}: point {index + 1}", place, point.x, point.y)
    if box := prompt.box:
        yield _Place(f"{subject}: the box's first corner", f"{field}.box", box.x0, box.y0)
        yield _Place(f"{subject}: the box's second corner", f"{field}.box", box.x1, box.y1)


def _require_pixels(places: list[_Place]) -> None:
    """Raise InvalidPrompt if a coordinate is a fraction while others are pixels."""
    for place in places:
        for value in (place.x, place.y):
            if 0 < value < 1:
                raise _invalid(
                    place.field,
                    f"{place.name} has {value:g}, a fraction, while other coordinates are pixels: "
                    "give all in pixels, or all between 0 and 1",
                )


def _require_subject(number: int, prompt: SubjectPrompt, rounded: Box | None) -> None:
    """Raise InvalidPrompt for a box without area, or for neither a box nor a point of label 1."""
    box = prompt.box
    if box and rounded and not (rounded.x0 < rounded.x1 and rounded.y0 < rounded.y1):
        raise _invalid(
            f"{number - 1}.box",
            f"subject {number}: the box {box.x0:g},{box.y0:g},{box.x1:g},{box.y1:g} has no area: "
            "x0 must be less than x1, and y0 less than y1",
        )
    if box is None and not any(point.label for point in prompt.points):
        raise _invalid(
            f"{number - 1}.points",
            f"subject {number} has no box and no point of label 1: add one of them",
        )


def _scaled(prompt: SubjectPrompt, across: int, down: int) -> SubjectPrompt:
    points = tuple(
        Point(x=_rounded(point.x * across), y=_rounded(point.y * down), label=point.label)
        for point in prompt.points
    )
    box = prompt.box and Box(
        x0=_rounded(prompt.box.x0 * across),
        y0=_rounded(prompt.box.y0 * down),
        x1=_rounded(prompt.box.x1 * across),
        y1=_rounded(prompt.box.y1 * down),
    )
    return SubjectPrompt(points=points, box=box)


def _rounded(value: float) -> float:
    """Round to a thousandth of a pixel, and -0 to 0, so that equal prompts give equal text."""
    return round(value, 3) + 0.0
