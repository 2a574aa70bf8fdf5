"""Wrong options are described once, in words, with the value that was written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.contracts.cutout import CutoutOptions
from pipeline.contracts.written import describe


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"outputs": ["maks"]},
            (
                "outputs.0: input should be 'cutout', 'mask' or 'preview', got 'maks'; "
                "did you mean 'mask'?"
            ),
        ),
        ({"outputs": []}, "outputs: should name at least one, got []"),
        ({"size": "big"}, "size: should be a whole number, got 'big'"),
        ({"size": True}, "size: should be a whole number, got True"),
        ({"margin": 1.5}, "margin: should be a whole number, got 1.5"),
        (
            {"background": "#fff"},
            "background: should be #rrggbb or #rrggbbaa, such as #ffffff for white, got '#fff'",
        ),
    ],
)
def test_a_wrong_option_is_described_once(options: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError) as failed:
        CutoutOptions.model_validate({"model": "net", **options})

    assert describe(failed.value, CutoutOptions) == told


def test_a_pattern_of_a_colour_is_in_the_schema() -> None:
    schema = CutoutOptions.model_json_schema()

    assert "#[0-9a-fA-F]{6}" in str(schema["properties"]["background"])
