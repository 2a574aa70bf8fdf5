"""Find words and phrases in transcripts; ignore case, accents and punctuation."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

# Scripts without spaces between words, as the Unicode names of their letters begin. Each of their
# letters is compared as a word of its own, so a phrase may begin or end anywhere.
_UNSPACED: Final = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_ACCENTS: Final = range(0x0300, 0x0370)  # of Latin, Greek and Cyrillic letters
_APOSTROPHES: Final = "'\u2019"


class SaidWord(NamedTuple):
    """A word of a transcript, its start (seconds) and its speaker, if known."""

    text: str
    start: float
    speaker: str | None


def find_phrase(words: Sequence[SaidWord], phrase: Sequence[str]) -> Iterator[range]:
    """Yield the range of words of each occurrence of a phrase, in order.

    `phrase` comes from `terms_of`. Occurrences do not overlap, and may span segments.
    """
    terms = [(term, at) for at, word in enumerate(words) for term in terms_of(word.text)]
    wanted = tuple(phrase)
    at = 0
    while at <= len(terms) - len(wanted):
        held = terms[at : at + len(wanted)] if terms[at][0] == wanted[0] else []
        if tuple(term for term, _ in held) == wanted:
            yield range(held[0][1], held[-1][1] + 1)
            at += len(wanted)
        else:
            at += 1


@functools.lru_cache(maxsize=2**16)
def terms_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in the form that is compared: no case, accents or punctuation.

    `Well-known` has two terms, `don't` one, and a text of punctuation none.
    """
    apart = ""
    for letter in _folded(text):
        if letter in _APOSTROPHES or ord(letter) in _ACCENTS:
            continue
        if unicodedata.category(letter)[0] not in "LMN":
            apart += " "
        elif _is_unspaced(letter):
            apart += f" {letter} "
        else:
            apart += letter
    return tuple(apart.split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


@functools.lru_cache(maxsize=2**14)
def _is_unspaced(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(_UNSPACED)


def join_words(words: Sequence[SaidWord]) -> str:
    """Return the text of words, with spaces between them where their script has spaces."""
    text = ""
    for word in words:
        joined = text and _is_unspaced(text[-1]) and word.text and _is_unspaced(word.text[0])
        text += word.text if not text or joined else f" {word.text}"
    return text
