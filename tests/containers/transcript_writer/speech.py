"""Speech for property tests: what a transcriber may write, and much that it should not."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from containers.transcript_writer.speakers import SpokenTurn
from containers.transcript_writer.stitching import Transcript, stitch
from pipeline.contracts.transcript import Segment
from tests.containers.transcript_writer import Timed, segment, window

LANGUAGES: Final = ("en", "de", "fr", "ar", "he", "ja", "zh", "th", "ko", "hi")
# Emoji of several characters, marks, digits, markup, marks of direction, controls, odd spaces.
_ODD: Final = (
    "👨‍👩‍👧", "🇩🇪", "é", "स्ते", "10,000", "-->", "<i>", "&amp;", "...", "«", "»", "?", "\u200f",
    "\x00", "\n", "\u2028", "\u00a0", "\t", "Donaudampfschifffahrtsgesellschaftskapitänsmütze",
    "、", "「", "」", "今日は", "สวัสดี", "שלום", "مرحبا", "한국어", "a" * 100, "字" * 60,
)  # fmt: skip
_TEXTS: Final = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
    st.sampled_from(_ODD),
    st.sampled_from(("the", "I", "roof,", "house.", "Really?", "well-known", "and", "so")),
)


@st.composite
def segments(draw: st.DrawFn, *, starts: st.SearchStrategy[float]) -> Segment:
    words: list[Timed] = []
    for text in draw(st.lists(_TEXTS, min_size=1, max_size=15)):
        start, length = draw(starts), draw(st.floats(-0.5, 12))
        words.append((draw(st.sampled_from((" ", " ", ""))) + text, start, start + length))
    return segment(*words, language=draw(st.sampled_from(LANGUAGES)))


@st.composite
def turns(draw: st.DrawFn) -> tuple[SpokenTurn, ...]:
    """Turns of up to three speakers at any time, also over each other, ordered by start."""
    spans = draw(st.lists(st.tuples(st.integers(0, 90_000), st.integers(1, 20_000)), max_size=12))
    names = st.sampled_from(("SPEAKER_00", "SPEAKER_01", "SPEAKER_02"))
    return tuple(SpokenTurn(start, start + length, draw(names)) for start, length in sorted(spans))


@st.composite
def wild_transcripts(draw: st.DrawFn) -> Transcript:
    """One to three windows of words at any time at all, even outside of the recording."""
    windows = [
        window(
            *draw(st.lists(segments(starts=st.floats(-5, 100)), max_size=3)),
            index=index, start=30.0 * index, end=30.0 * index + 30,
        )
        for index in range(draw(st.integers(1, 3)))
    ]  # fmt: skip
    return stitch(windows, duration_s=draw(st.floats(30.0 * len(windows) - 10, 100)))
