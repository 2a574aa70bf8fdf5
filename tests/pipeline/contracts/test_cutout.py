"""Contracts of the cutout: what other releases wrote is read, and what they cannot read is not
written.
"""

from __future__ import annotations

import pytest

from pipeline.contracts.cutout import CutoutOptions, shown_picture

FORMER = {
    "allow_fallback": False, "model": "u2netp", "refine": "auto", "format": "png",
    "effort": "fast", "background": None, "crop": False, "margin": 10, "outputs": ["cutout"],
    "prompts": [],
}  # fmt: skip


def test_options_of_the_release_before_are_read_and_written_alike() -> None:
    """Without a size, and with a margin that needs a crop by now: such a job is under way."""
    options = CutoutOptions.model_validate(FORMER)

    assert options.size is None
    assert options.model_dump(mode="json") == FORMER


def test_a_size_is_passed_on_where_it_was_asked_for() -> None:
    options = CutoutOptions.model_validate({**FORMER, "size": 2_000})

    assert options.model_dump(mode="json") == {**FORMER, "size": 2_000}


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        (("mask", "cutout", "preview"), "cutout"),
        (("mask", "preview"), "preview"),
        (("mask",), "mask"),
    ],
)
def test_the_picture_to_show_is_the_cutout_if_there_is_one(
    kinds: tuple[str, ...], shown: str
) -> None:
    assert shown_picture([{"kind": kind} for kind in kinds])["kind"] == shown
