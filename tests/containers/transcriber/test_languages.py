"""The language of each slice is detected, and changes only for good reason."""

from __future__ import annotations

from containers.transcriber.languages import Heard, language_of, majority, spoken


def test_the_language_of_most_speech_wins_not_that_of_most_slices() -> None:
    short = [Heard({"de": 0.95, "en": 0.05}, 3.0)] * 3

    assert majority([*short, Heard({"en": 0.99, "de": 0.01}, 25.0)]) == "en"


def test_only_a_certain_slice_changes_the_language() -> None:
    assert language_of(Heard({"de": 0.9, "en": 0.1}, 5.0), most="en") == "de"
    assert language_of(Heard({"de": 0.89, "en": 0.11}, 5.0), most="en") == "en"


def test_languages_are_listed_by_speech_with_their_mean_probability() -> None:
    english, german = Heard({"en": 0.98}, 20.0), Heard({"de": 0.9}, 5.0)
    unsure = Heard({"nn": 0.5, "en": 0.38}, 20.0)

    found = spoken([("de", german), ("en", english), ("en", unsure)])

    assert list(found.items()) == [("en", 0.68), ("de", 0.9)]
