"""Words and prompts in Whisper's vocabulary."""

from __future__ import annotations

import pytest

from containers.transcriber.tokens import Vocabulary
from pipeline.errors import UnsupportedLanguage


def words(vocabulary: Vocabulary, text: str) -> list[str]:
    tokens = vocabulary.tokenizer.encode(text, add_special_tokens=False).ids
    found = vocabulary.words(tokens)
    assert "".join(word.text for word in found) == text
    assert [word.first for word in found[1:]] == [word.last for word in found[:-1]]
    return [word.text for word in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Hello, world!", [" Hello,", " world!"]),
        (" She paid $1,000.50.", [" She", " paid", " $1,000.50."]),
        (" a well-known “quote” – yes", [" a", " well-known", " “quote” –", " yes"]),
        ("我喜欢茶。", ["我", "喜", "欢", "茶。"]),
        ("コーヒーを", ["コー", "ヒー", "を"]),
        ("iPhone 12を買う", ["iPhone", " 12", "を", "買", "う"]),
        (" 커피를 마신다.", [" 커피를", " 마신다."]),
        ("เขามา", ["เข", "า", "ม", "า"]),
    ],
)
def test_words_have_their_spaces_and_punctuation(
    vocabulary: Vocabulary, text: str, expected: list[str]
) -> None:
    assert words(vocabulary, text) == expected


def test_punctuation_is_no_part_of_what_is_spoken(vocabulary: Vocabulary) -> None:
    tokens = vocabulary.tokenizer.encode(" ab, c", add_special_tokens=False).ids

    first, _second = vocabulary.words(tokens)

    assert (first.first, first.spoken, first.last) == (0, 3, 4)


def test_a_character_that_is_not_finished_is_left_out(vocabulary: Vocabulary) -> None:
    tokens = vocabulary.tokenizer.encode(" aé", add_special_tokens=False).ids[:-1]

    assert vocabulary.text(tokens) == " a"
    assert [word.text for word in vocabulary.words(tokens)] == [" a"]


def test_a_prompt_asks_for_the_language_after_the_users_own_words(vocabulary: Vocabulary) -> None:
    start = vocabulary.start("de", translate=True)
    prompt = vocabulary.prompt(start, "x" * 600)

    names = [vocabulary.tokenizer.id_to_token(token) for token in prompt]
    assert names[0] == "<|startofprev|>"
    assert names[-4:] == ["<|startoftranscript|>", "<|de|>", "<|translate|>", "<|notimestamps|>"]
    assert len(prompt) == 1 + 223 + 4


def test_a_model_of_english_alone_is_not_told_a_language(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.start(None, translate=False)) == 1


def test_an_unknown_language_is_refused_by_name(vocabulary: Vocabulary) -> None:
    with pytest.raises(UnsupportedLanguage, match="'yue'"):
        vocabulary.start("yue", translate=False)
