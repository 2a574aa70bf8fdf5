"""Points and boxes become pixels of the photo; invalid ones raise InvalidPrompt with the limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.contracts.cutout import CutoutOptions
from pipeline.errors import InvalidPrompt
from pipeline.photo.prompts import SubjectPrompt, in_pixels


def parsed(*subjects: dict[str, Any]) -> tuple[SubjectPrompt, ...]:
    return CutoutOptions.model_validate({"model": "any", "prompts": list(subjects)}).prompts


def resolved(*subjects: dict[str, Any]) -> tuple[SubjectPrompt, ...]:
    return in_pixels(parsed(*subjects), width=800, height=600)


def point(x: float, y: float, **label: int) -> dict[str, Any]:
    return {"points": [{"x": x, "y": y, **label}]}


def box(x0: float, y0: float, x1: float, y1: float) -> dict[str, Any]:
    return {"box": {"x0": x0, "y0": y0, "x1": x1, "y1": y1}}


def test_pixels_are_unchanged() -> None:
    subject = {"points": [{"x": 412, "y": 280}, {"x": 30, "y": 20.5, "label": 0}]}

    assert resolved(subject | box(0, 0, 800, 600)) == parsed(subject | box(0, 0, 800, 600))


def test_a_point_is_on_the_subject_by_default() -> None:
    (subject,) = parsed({"points": [{"x": 1, "y": 2}, {"x": 3, "y": 4, "label": 0}]})

    assert [mark.label for mark in subject.points] == [1, 0]


@pytest.mark.parametrize(
    ("fractions", "pixels"),
    [
        (point(0.5, 0.5), point(400, 300)),
        (point(1, 1), point(800, 600)),
        (point(0, 0), point(0, 0)),
        (point(0.25, 0.9, label=1), point(200, 540)),
        (box(0, 0.5, 1, 1), box(0, 300, 800, 600)),
        (point(1 / 3, 1 / 3), point(266.667, 200)),
    ],
)
def test_fractions_are_scaled_by_width_and_height(
    fractions: dict[str, Any], pixels: dict[str, Any]
) -> None:
    assert resolved(fractions) == parsed(pixels)


def test_negative_zero_becomes_zero() -> None:
    (mark,) = resolved(point(-0.0, 0.0))[0].points

    assert str(mark.x) == "0.0"


def test_zero_and_one_are_pixels_if_any_coordinate_is_larger() -> None:
    assert resolved(point(1, 0), point(300, 200)) == parsed(point(1, 0), point(300, 200))


REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "right of the photo": ([point(801, 5)], "x goes from 0 to 800 and y from 0 to 600 pixels"),
    "below the photo": ([point(5, 600.5)], "subject 1: point 1 at 5,600.5 is outside the photo"),
    "left of the photo": ([point(-1, 5)], "subject 1: point 1 at -1,5 is outside the photo"),
    "above the photo": ([point(0.5, -0.1)], "or both from 0 to 1"),
    "a box partly outside": ([box(10, 10, 900, 500)], "second corner at 900,500 is outside"),
    "in the second subject": ([point(5, 5), point(5, 5000)], "subject 2: point 1 at 5,5000"),
    "no width": ([box(10, 10, 10, 50)], "has no area: x0 must be less than x1, and y0 less"),
    "no height": ([box(10, 50, 20, 50)], "the box 10,50,20,50 has no area"),
    "corners swapped": ([box(50, 50, 20, 20)], "has no area"),
    "no width after rounding": ([box(10, 10, 10.0001, 50)], "has no area"),
    "no height after rounding": ([box(0.5, 0.5, 0.6, 0.5000001)], "has no area"),
    "only background": ([point(9, 9, label=0)], "no point of label 1: add one of them"),
    "nothing at all": ([{}], "subject 1 has no box and no point of label 1"),
    "fractions and pixels": ([point(0.5, 0.5), point(300, 200)], "point 1 has 0.5, a fraction"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_prompt_is_refused_with_the_limits(name: str) -> None:
    subjects, message = REFUSED[name]

    with pytest.raises(InvalidPrompt) as refusal:
        resolved(*subjects)

    assert message in refusal.value.message


@pytest.mark.parametrize(
    ("subject", "field"),
    [
        ({"points": [{"x": 1}]}, "prompts.0.points.0.y"),
        ({"points": [{"x": "1", "y": 2}]}, "prompts.0.points.0.x"),
        ({"points": [{"x": True, "y": 2}]}, "prompts.0.points.0.x"),
        ({"points": [{"x": 1, "y": 2, "label": 2}]}, "prompts.0.points.0.label"),
        ({"points": [{"x": 1, "y": 2, "z": 3}]}, "prompts.0.points.0.z"),
        ({"points": [{"x": 1, "y": 2}] * 17}, "prompts.0.points"),
        ({"box": [1, 2, 3, 4]}, "prompts.0.box"),
        ({"boxes": []}, "prompts.0.boxes"),
        ({"points": [json.loads('{"x": NaN, "y": 1}')]}, "prompts.0.points.0.x"),
    ],
)
def test_a_prompt_of_another_shape_is_refused_by_field(subject: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        parsed(subject)

    assert ".".join(map(str, refusal.value.errors()[0]["loc"])) == field


def test_more_than_eight_subjects_are_refused() -> None:
    with pytest.raises(ValidationError, match="at most 8 items"):
        parsed(*[point(1, 1)] * 9)
