"""Whisper's vocabulary: prompts in, text and words out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.errors import UnsupportedLanguage, WeightsMismatch

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_MOST_PROMPT: Final = 223  # tokens: half of the decoder's context, less one
_BROKEN: Final = "\N{REPLACEMENT CHARACTER}"  # part of a character
# Scripts that put no spaces between words: each character that is decoded may begin a word.
_UNSPACED: Final = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "MYANMAR", "KHMER", "TIBETAN")
_LEADING_VOWELS: Final = "เแโใไເແໂໃໄ"  # written before the consonant that they follow in speech


@dataclass(frozen=True)
class WordTokens:
    """A word with the spaces and punctuation that it is written with.

    It has the tokens from `first` to before `last` of those that were split; the letters and digits
    end before `spoken`, and punctuation follows.
    """

    text: str
    first: int
    spoken: int
    last: int


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The tokenizer of one model."""

    tokenizer: Tokenizer

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read `tokenizer.json`. Raises WeightsMismatch if it is none of Whisper's."""
        from tokenizers import Tokenizer  # noqa: PLC0415 - loads with the model

        vocabulary = cls(Tokenizer.from_file(str(path)))
        vocabulary.special("<|startoftranscript|>")
        return vocabulary

    def special(self, name: str) -> int:
        """Return the id of a special token. Raises WeightsMismatch if there is none."""
        token: int | None = self.tokenizer.token_to_id(name)
        if token is None:
            raise WeightsMismatch(f"the tokenizer has no token {name}")
        return token

    @cached_property
    def end(self) -> int:
        """The token that ends a text; special ones follow it."""
        return self.special("<|endoftext|>")

    def start(self, language: str | None, *, translate: bool) -> list[int]:
        """Return the tokens that begin a transcript; a model of English alone has no languages.

        Raises UnsupportedLanguage if the model does not know the language.
        """
        first = self.special("<|startoftranscript|>")
        if language is None:
            return [first]
        spoken: int | None = self.tokenizer.token_to_id(f"<|{language}|>")
        if spoken is None:
            raise UnsupportedLanguage(f"the model does not know the language {language!r}")
        return [first, spoken, self.special("<|translate|>" if translate else "<|transcribe|>")]

    def prompt(self, start: Sequence[int], own_words: str | None) -> list[int]:
        """Return what a text without timestamps is asked for with, after a user's own words."""
        asked = [*start, self.special("<|notimestamps|>")]
        if not own_words:
            return asked
        words = self.tokenizer.encode(f" {own_words}", add_special_tokens=False).ids
        return [self.special("<|startofprev|>"), *words[-_MOST_PROMPT:], *asked]

    def text(self, tokens: Sequence[int]) -> str:
        """Return what tokens say. The start of a character that is not finished is left out."""
        decoded: str = self.tokenizer.decode(list(tokens))
        return decoded.rstrip(_BROKEN)

    def words(self, tokens: Sequence[int]) -> list[WordTokens]:
        """Split tokens into words. Their texts, joined, are the text."""
        words: list[WordTokens] = []
        for text, first, last in self._characters(tokens):
            spoken = last if _is_spoken(text) else first
            part = WordTokens(text, first, spoken, last)
            if words and not _begins_word(words[-1].text, text):
                words[-1] = _joined(words[-1], part)
            else:
                words.append(part)
        return _with_punctuation(words)

    def _characters(self, tokens: Sequence[int]) -> Iterator[tuple[str, int, int]]:
        """Yield the fewest tokens at a time that are whole characters, with their places."""
        first = 0
        for last in range(1, len(tokens) + 1):
            text: str = self.tokenizer.decode(list(tokens[first:last]))
            if last == len(tokens):
                text = text.rstrip(_BROKEN)
            if text and _BROKEN not in text:
                yield text, first, last
                first = last


def _begins_word(before: str, text: str) -> bool:
    """Return True if a text begins a word after `before`: after a space, or without any."""
    first = text[0]
    if first.isspace():
        return bool(before.strip())
    if before[-1].isspace() or before[-1] in _LEADING_VOWELS:
        return False
    unspaced = unicodedata.name(first, "").startswith(_UNSPACED)
    return unspaced and unicodedata.category(first) == "Lo"


def _with_punctuation(words: list[WordTokens]) -> list[WordTokens]:
    """Join what is no word by itself, such as a dash, with the word before it or the first."""
    joined: list[WordTokens] = []
    for word in words:
        if joined and not (_is_spoken(word.text) and _is_spoken(joined[-1].text)):
            joined[-1] = _joined(joined[-1], word)
        else:
            joined.append(word)
    return joined


def _joined(word: WordTokens, part: WordTokens) -> WordTokens:
    spoken = part.spoken if _is_spoken(part.text) else word.spoken
    return WordTokens(word.text + part.text, word.first, spoken, part.last)


def _is_spoken(text: str) -> bool:
    return any(character.isalnum() for character in text)
