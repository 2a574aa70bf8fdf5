"""Find words in what was said, whatever their case, accents and punctuation."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

# First words of the names of letters that are written without spaces between words: here each
# letter is compared as a word is elsewhere, so a phrase may begin or end anywhere.
_UNSPACED: Final = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
_ACCENTS: Final = range(0x0300, 0x0370)  # of Latin, Greek and Cyrillic letters
_APOSTROPHES: Final = "'\u2019"


class SaidWord(NamedTuple):
    """A word as it was written down, when it starts (seconds) and who speaks it, if known."""

    text: str
    start: float
    speaker: str | None


def find_phrase(words: Sequence[SaidWord], phrase: Sequence[str]) -> Iterator[range]:
    """Yield the indices of the words that hold each occurrence of a phrase, in order.

    `phrase` is what `terms_of` returns. Occurrences do not overlap; segments do not matter.
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
    """Return what is compared of a text: its words, without case, accents and punctuation.

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
