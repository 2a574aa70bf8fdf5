"""A misspelt name is answered with the nearest one there is."""

from __future__ import annotations

import pytest

from pipeline.spelling import did_you_mean

NAMES = ("u2net", "u2netp", "silueta", "birefnet-general", "JPEG")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("u2nett", "u2net"),
        ("u2netpp", "u2netp"),
        ("Silhueta", "silueta"),
        ("birefnet-genral", "birefnet-general"),
        ("jpg", "JPEG"),
    ],
)
def test_the_nearest_name_is_suggested(word: str, near: str) -> None:
    assert did_you_mean(word, NAMES) == f"; did you mean {near!r}?"


@pytest.mark.parametrize("word", ["", "whisper", "\ud800", "x" * 100_000])
def test_nothing_is_suggested_where_nothing_is_near(word: str) -> None:
    assert did_you_mean(word, NAMES) == ""
