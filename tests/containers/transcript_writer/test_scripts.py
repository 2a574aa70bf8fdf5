"""Lines may break where each script allows, and are as wide as they look."""

from __future__ import annotations

from itertools import pairwise

import pytest

from containers.transcript_writer.scripts import (
    breaks_of,
    clusters_of,
    ends_clause,
    ends_sentence,
    is_written_without_spaces,
    width_of,
)


def broken(text: str, language: str) -> list[str]:
    cuts = [0, *breaks_of(text, language), len(text)]
    return [text[first:last] for first, last in pairwise(cuts)]


@pytest.mark.parametrize(
    ("text", "language", "parts"),
    [
        ("And so, my fellow", "en", ["And", " so,", " my", " fellow"]),
        ("ça va ? « oui » non", "fr", ["ça", " va ?", " « oui »", " non"]),
        ("costs 10,000 (ten) $", "en", ["costs", " 10,000", " (ten)", " $"]),
        ("一、二「三」です。ラー", "ja", ["一、", "二「三」", "です。", "ラー"]),
        ("今日は東京で会議があります", "ja", ["今日は", "東京で", "会議が", "あります"]),
        ("今天我们在北京开会,讨论", "zh", ["今天", "我们", "在", "北京", "开会,", "讨论"]),
        ("สวัสดีครับ วันนี้", "th", ["สวัสดี", "ครับ", " วัน", "นี้"]),
        ("한국어 문장", "ko", ["한국어", " 문장"]),
        ("", "en", [""]),
    ],
)
def test_a_line_may_break_at_spaces_and_between_phrases(
    text: str, language: str, parts: list[str]
) -> None:
    assert broken(text, language) == parts


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("é", 1), ("e\u0301", 1), ("今日", 4), ("ｱ", 1), ("👨‍👩‍👧", 2), ("นี้", 1), ("", 0)],
)
def test_wide_characters_have_two_columns_and_marks_none(text: str, columns: int) -> None:
    assert width_of(text) == columns


def test_emoji_and_marks_stay_whole() -> None:
    assert clusters_of("👨‍👩‍👧e\u0301🇩🇪") == ["👨‍👩‍👧", "e\u0301", "🇩🇪"]


@pytest.mark.parametrize("text", ["so.", "so?", 'so."', "です。", "؟", "है।", "so…", "so.»"])
def test_a_sentence_ends_in_any_script(text: str) -> None:
    assert ends_sentence(text)
    assert ends_clause(text)


@pytest.mark.parametrize("text", ["so,", "so;", "so:", "so –", "は、", "و،"])
def test_a_clause_ends_in_any_script(text: str) -> None:
    assert not ends_sentence(text)
    assert ends_clause(text)


@pytest.mark.parametrize("text", ["so", "3.5", "U.S.A", "(so", ""])
def test_nothing_ends_within_a_word(text: str) -> None:
    assert not ends_clause(text)


def test_chinese_and_japanese_are_written_without_spaces() -> None:
    assert [is_written_without_spaces(each) for each in ("今", "。", "ア", "한", "a", "")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
