"""Points and boxes as they are typed become prompts, or a sentence that says how to type them."""

from __future__ import annotations

import json

import click
import pytest

from pipeline.cli.marks import prompt_metadata


@pytest.mark.parametrize(
    ("points", "boxes", "prompts"),
    [
        (["412,280"], [], [{"points": [{"x": 412, "y": 280}]}]),
        (
            ["0.5,0.25", "30, 20 ,0", "1,2,1"],
            [],
            [
                {
                    "points": [
                        {"x": 0.5, "y": 0.25},
                        {"x": 30, "y": 20, "label": 0},
                        {"x": 1, "y": 2},
                    ]
                }
            ],
        ),
        ([], ["1,2,3,4"], [{"box": {"x0": 1, "y0": 2, "x1": 3, "y1": 4}}]),
        (
            ["5,6"],
            ["1,2,9,9"],
            [{"points": [{"x": 5, "y": 6}], "box": {"x0": 1, "y0": 2, "x1": 9, "y1": 9}}],
        ),
        (
            [],
            ["1,2,3,4", "5,6,7,8"],
            [
                {"box": {"x0": 1, "y0": 2, "x1": 3, "y1": 4}},
                {"box": {"x0": 5, "y0": 6, "x1": 7, "y1": 8}},
            ],
        ),
    ],
)
def test_marks_are_prompts(
    points: list[str], boxes: list[str], prompts: list[dict[str, object]]
) -> None:
    assert json.loads(prompt_metadata(points, boxes)["prompts"]) == prompts


def test_without_a_mark_there_is_no_metadata() -> None:
    assert prompt_metadata([], []) == {}


def test_the_longest_prompts_fit_into_the_metadata_of_an_object() -> None:
    point, box = f"{1 / 3},{-1e-100 / 3},0", ",".join([f"{1e100 / 3}"] * 4)

    said = [prompt_metadata([point] * 16, [box]), prompt_metadata([], [box] * 8)]

    assert max(len(one["prompts"]) for one in said) < 1_700


@pytest.mark.parametrize(
    ("points", "boxes", "says"),
    [
        (["412"], [], "--point 412: write X,Y"),
        (["1,2,3"], [], "--point 1,2,3: write X,Y, or off the subject X,Y,0"),
        (["1,2,0,0"], [], "--point 1,2,0,0"),
        (["left,top"], [], "--point left,top"),
        (["nan,1"], [], "--point nan,1"),
        ([], ["1,2,3"], "--box 1,2,3: write X0,Y0,X1,Y1"),
        ([], ["1,2,3,inf"], "--box 1,2,3,inf"),
        (["1,2"], ["1,2,3,4", "5,6,7,8"], "whose would the point be"),
        (["1,2"] * 17, [], "at most 16 --point"),
        ([], ["1,2,3,4"] * 9, "or 8 --box"),
    ],
)
def test_a_mark_that_cannot_be_read_is_named(
    points: list[str], boxes: list[str], says: str
) -> None:
    with pytest.raises(click.UsageError) as refusal:
        prompt_metadata(points, boxes)

    assert says in refusal.value.message
