"""Points and boxes become pixels of the photo, or are refused with what would be allowed."""

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


def test_pixels_stay_what_they_are() -> None:
    subject = {"points": [{"x": 412, "y": 280}, {"x": 30, "y": 20.5, "label": 0}]}

    assert resolved(subject | box(0, 0, 800, 600)) == parsed(subject | box(0, 0, 800, 600))


def test_a_point_belongs_to_the_subject_unless_it_says_otherwise() -> None:
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
def test_fractions_are_of_width_and_height(
    fractions: dict[str, Any], pixels: dict[str, Any]
) -> None:
    assert resolved(fractions) == parsed(pixels)


def test_one_place_has_one_spelling() -> None:
    (mark,) = resolved(point(-0.0, 0.0))[0].points

    assert str(mark.x) == "0.0"


def test_small_numbers_beside_large_ones_are_pixels() -> None:
    assert resolved(point(1, 0), point(300, 200)) == parsed(point(1, 0), point(300, 200))


REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "right of it": ([point(801, 5)], "x goes from 0 to 800 and y from 0 to 600 pixels, or both"),
    "below it": ([point(5, 600.5)], "subject 1: point 1 at 5,600.5 is outside the photo"),
    "left of it": ([point(-1, 5)], "subject 1: point 1 at -1,5 is outside the photo"),
    "above it": ([point(0.5, -0.1)], "or both from 0 to 1"),
    "a box that leaves it": ([box(10, 10, 900, 500)], "second corner at 900,500 is outside"),
    "in the second subject": ([point(5, 5), point(5, 5000)], "subject 2: point 1 at 5,5000"),
    "no width": ([box(10, 10, 10, 50)], "has no area: x0 has to be below x1"),
    "no height": ([box(10, 50, 20, 50)], "the box 10,50,20,50 has no area"),
    "inside out": ([box(50, 50, 20, 20)], "has no area"),
    "thinner than is kept": ([box(10, 10, 10.0001, 50)], "has no area"),
    "lower than is kept": ([box(0.5, 0.5, 0.6, 0.5000001)], "has no area"),
    "only off the subject": ([point(9, 9, label=0)], "a point of label 1 on the subject"),
    "nothing at all": ([{}], "subject 1 is shown by nothing: add a box"),
    "both kinds": ([point(0.5, 0.5), point(300, 200)], "subject 1: point 1 has 0.5, a fraction"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_the_photo_is_refused_with_what_would(name: str) -> None:
    subjects, says = REFUSED[name]

    with pytest.raises(InvalidPrompt) as refusal:
        resolved(*subjects)

    assert says in refusal.value.message


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
def test_another_shape_is_refused_by_its_field(subject: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        parsed(subject)

    assert ".".join(map(str, refusal.value.errors()[0]["loc"])) == field


def test_more_subjects_than_a_decoder_is_asked_for_are_refused() -> None:
    with pytest.raises(ValidationError, match="at most 8 items"):
        parsed(*[point(1, 1)] * 9)
