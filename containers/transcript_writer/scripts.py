"""What must be known of scripts: width, spaces, where a line may break, which way it runs."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from typing import Final

import budoux
import regex

# Languages of Whisper that are written from right to left.
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ps", "sd", "ur", "yi"})

# BudouX finds phrases in languages that are written without spaces.
_PHRASES: Final = {
    "ja": budoux.load_default_japanese_parser,
    "zh": budoux.load_default_simplified_chinese_parser,
    "yue": budoux.load_default_traditional_chinese_parser,
    "th": budoux.load_default_thai_parser,
}
# Unicode's line breaking classes (UAX #14): what may not begin a line, and what may not end one.
_NOT_FIRST: Final = (
    r"[\p{Line_Break=CL}\p{Line_Break=CP}\p{Line_Break=EX}\p{Line_Break=IS}\p{Line_Break=NS}"
    r"\p{Line_Break=CJ}\p{Pf}\p{M}]"
)
_NOT_LAST: Final = r"[\p{Line_Break=OP}\p{Pi}\p{Logical_Order_Exception}]"
_AT_SPACE: Final = regex.compile(rf"(?<!{_NOT_LAST}) (?!{_NOT_FIRST})")
_WITHIN: Final = regex.compile(rf"(?<!{_NOT_LAST}| )(?!{_NOT_FIRST}| )")
_AFTER_PUNCTUATION: Final = regex.compile(
    r"(?<=[\p{Line_Break=CL}\p{Line_Break=CP}\p{Line_Break=EX}\p{Line_Break=IS}])"
    r"(?=[\p{Lo}\p{Line_Break=OP}])"
)
_ENDS_SENTENCE: Final = regex.compile(r"[\p{Sentence_Terminal}…][\p{Pe}\p{Pf}\"']*$")
_ENDS_CLAUSE: Final = regex.compile(r"[\p{Terminal_Punctuation}\p{Pd}…][\p{Pe}\p{Pf}\"']*$")
_CLUSTER: Final = regex.compile(r"\X")
_HANGUL: Final = regex.compile(r"\p{Hangul}")


def is_written_without_spaces(character: str) -> bool:
    """Return True for Chinese and Japanese characters and their punctuation, not for Hangul."""
    wide = bool(character) and unicodedata.east_asian_width(character) in "WF"
    return wide and not _HANGUL.match(character)


def width_of(text: str) -> int:
    """Return the columns of a text: two for an East Asian wide character or an emoji, else one.

    A grapheme cluster has the width of its first character: marks add nothing.
    """
    if text.isascii():
        return len(text)
    return sum(_width(cluster) for cluster in clusters_of(text))


def clusters_of(text: str) -> list[str]:
    """Split a text into grapheme clusters, between which it may be cut at all."""
    return _CLUSTER.findall(text)


def ends_sentence(text: str) -> bool:
    """Return True after a full stop, question or exclamation mark of any script, or an ellipsis."""
    return bool(_ENDS_SENTENCE.search(text))


def ends_clause(text: str) -> bool:
    """Return True after a comma, colon, semicolon or dash of any script, and after a sentence."""
    return bool(_ENDS_CLAUSE.search(text))


def breaks_of(text: str, language: str) -> Iterator[int]:
    """Yield the positions where a line may end, in order: at spaces, and between phrases."""
    found = {match.start() for match in _AT_SPACE.finditer(text)}
    if language in _PHRASES:
        after = {match.start() for match in _AFTER_PUNCTUATION.finditer(text)}
        found |= {at for at in {*_phrase_ends(text, language), *after} if _WITHIN.match(text, at)}
    yield from sorted(found - {0, len(text)})


def _phrase_ends(text: str, language: str) -> Iterator[int]:
    at = 0
    for phrase in _parser(language).parse(text):
        at += len(phrase)
        yield at


@functools.cache
def _parser(language: str) -> budoux.Parser:
    return _PHRASES[language]()


@functools.lru_cache(maxsize=4096)
def _width(cluster: str) -> int:
    return 2 if unicodedata.east_asian_width(cluster[0]) in "WF" else 1
