"""Large values are shown in their shape, and every cut is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from pipeline.operations.console.shortening import shorten


@pytest.mark.parametrize("value", [None, 1, "text", [1, {"a": None}], {"a": {"b": []}}])
def test_what_fits_is_shown_as_it_is(value: Any) -> None:
    assert shorten(json.dumps(value), 100) == (value, False)


def test_nothing_is_nothing() -> None:
    assert shorten(None, 100) == (None, False)


@pytest.mark.parametrize(
    "value",
    [
        {"body": "x" * 262_144},
        {"keys": [{"key": f"folder/{number}.png", "n": number} for number in range(5_000)]},
        {f"field {number}": {"deep": [number] * 50} for number in range(900)},
        ["é" * 200] * 900,
        {"k" * 50_000: 1},
    ],
    ids=["text", "list", "object", "wide", "name"],
)
def test_a_large_value_keeps_its_shape_and_says_what_is_missing(value: Any) -> None:
    shown = shorten(json.dumps(value, ensure_ascii=False), 8_192)

    text = json.dumps(shown.value, ensure_ascii=False)
    assert shown.shortened
    assert len(text) <= 8_192
    assert type(shown.value) is type(value)
    assert "more" in text


def test_what_aws_has_cut_is_shown_as_text() -> None:
    cut = '{"whole": "no'

    assert shorten(cut, 100) == (cut, False)
    assert shorten(cut * 100, 50).value.startswith(cut)


@pytest.mark.parametrize("levels", [65, 250, 900])
def test_a_short_text_that_is_nested_deep_is_cut(levels: int) -> None:
    """pydantic cannot write it: the whole answer would fail."""
    shown = shorten("[" * levels + "]" * levels, 10_000)

    assert shown.shortened
    assert TypeAdapter(Any).dump_json(shown.value)
    assert shorten("[" * 64 + "]" * 64, 10_000).shortened is False


def test_a_value_nested_too_deeply_is_shown_as_text() -> None:
    deep = "[" * 100_000

    assert shorten(deep, 10) == ("[" * 10 + "… (99,990 more characters)", True)
