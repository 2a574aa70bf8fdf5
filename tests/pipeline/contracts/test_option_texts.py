"""An option that is written as text is read as it was."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.contracts.contract import metadata_name, option_texts
from pipeline.contracts.cutout import CutoutOptions
from pipeline.contracts.written import read_text, write_text

CHOSEN: dict[str, Any] = {
    "model": "sam-vit-b",
    "allow_fallback": True,
    "compute": "batch",
    "refine": "matting",
    "format": "webp",
    "effort": "small",
    "background": "#FFFFFF80",
    "crop": True,
    "margin": 5,
    "outputs": ["mask", "cutout"],
    "prompts": [
        {
            "points": [{"x": 0.25, "y": 1e-3, "label": 0}],
            "box": {"x0": 0, "y0": 0, "x1": 1, "y1": 1},
        },
        {"points": [{"x": 1.5, "y": 2}]},
    ],
    "size": 800,
}  # fmt: skip


def test_every_option_is_tried() -> None:
    assert set(CHOSEN) == set(CutoutOptions.model_fields)


@pytest.mark.parametrize("name", CHOSEN)
def test_an_option_survives_the_metadata(name: str) -> None:
    given = {"model": "u2net", name: CHOSEN[name]}
    options = CutoutOptions.model_validate(given)
    written = options.model_dump(mode="json", include=set(given), exclude_defaults=True)
    metadata = {metadata_name(option): write_text(value) for option, value in written.items()}

    read = {
        option: read_text(CutoutOptions, option, text) for option, text in option_texts(metadata)
    }
    assert CutoutOptions.model_validate(read) == options
    assert all(text.isascii() and text.isprintable() for text in metadata.values())
