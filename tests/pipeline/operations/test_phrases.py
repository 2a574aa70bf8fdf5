"""A phrase is found across words, whatever its case, accents and punctuation."""

from __future__ import annotations

import time

import pytest

from pipeline.operations.phrases import SaidWord, find_phrase, join_words, terms_of


def said(*texts: str) -> list[SaidWord]:
    return [SaidWord(text, float(at), None) for at, text in enumerate(texts)]


def found(phrase: str, *texts: str) -> list[str]:
    words = said(*texts)
    return [
        " ".join(words[at].text for at in each) for each in find_phrase(words, terms_of(phrase))
    ]


@pytest.mark.parametrize(
    ("phrase", "texts", "expected"),
    [
        ("ask not", ("And", "so,", "Ask", "not."), ["Ask not."]),
        ("CAFE", ("Ein", "Café", "im", "café."), ["Café", "café."]),
        ("café", ("Cafe\u0301!",), ["Cafe\u0301!"]),
        ("strasse", ("Straße",), ["Straße"]),
        ("елка", ("Ёлка",), ["Ёлка"]),
        ("don't", ("don\u2019t", "dont"), ["don\u2019t", "dont"]),
        ("well known", ("Well-known",), ["Well-known"]),
        ("well-known", ("well", "known"), ["well known"]),
        ("10,000", ("10,000", "dollars"), ["10,000"]),
        ("会議", ("今日", "会", "議が"), ["会 議が"]),
        ("日会", ("今日", "会"), ["今日 会"]),
        ("วันนี้", ("สวัสดี", "วัน", "นี้"), ["วัน นี้"]),
        ("한국어", ("한국어",), ["한국어"]),
        ("की", ("का", "की"), ["की"]),
        ("がく", ("かく", "がく"), ["がく"]),
    ],
)
def test_what_is_said_is_found(phrase: str, texts: tuple[str, ...], expected: list[str]) -> None:
    assert found(phrase, *texts) == expected


@pytest.mark.parametrize(
    ("phrase", "texts"),
    [
        ("roof", ("roofs", "proof", "roo", "f")),
        ("therapist", ("the", "rapist")),
        ("ask not", ("ask", "what", "not")),
        ("ask not", ("not", "ask")),
        ("한국", ("한국어",)),
        ("not", ()),
        ("ask not what", ("ask", "not")),
    ],
)
def test_a_part_of_a_word_or_of_a_phrase_is_not_found(phrase: str, texts: tuple[str, ...]) -> None:
    assert found(phrase, *texts) == []


def test_every_occurrence_is_found_once() -> None:
    assert found("no no", "No,", "no,", "no", "no", "no!") == ["No, no,", "no no"]
    assert found("ask not", "ask", "ask", "not") == ["ask not"]


@pytest.mark.parametrize("text", ["", "…", " – ", "?!"])
def test_punctuation_alone_is_nothing_to_compare(text: str) -> None:
    assert terms_of(text) == ()


def test_words_without_letters_are_passed_over() -> None:
    assert found("so and", "so", "–", "and") == ["so – and"]


def test_words_are_joined_as_their_script_joins_them() -> None:
    assert (
        join_words(said("And", "so,", "今", "日", "は", "한국", "어")) == "And so, 今日は 한국 어"
    )
    assert join_words([]) == ""


def test_the_time_for_a_long_word_does_not_grow_with_its_square() -> None:
    def seconds(letters: int) -> float:
        started = time.process_time()
        assert terms_of("a" * letters) == ("a" * letters,)
        return time.process_time() - started

    short, long = seconds(100_000), seconds(1_000_000)

    assert long < 40 * short
