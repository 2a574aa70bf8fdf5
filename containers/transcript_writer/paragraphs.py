"""Write the transcript as plain text, in paragraphs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from containers.transcript_writer.scripts import ends_sentence
from containers.transcript_writer.stitching import SpokenSegment, Transcript

_PAUSE: Final = 2_000  # ms without a word begin a paragraph
_LONG: Final = 600  # characters after which the next sentence begins one


def render_text(transcript: Transcript, *, named: bool = False) -> str:
    """Return one paragraph a line, with an empty line between: players wrap, so nothing else does.

    A paragraph begins after a long pause, where the language or the speaker changes, and after the
    sentence that made the one before it long. With `named`, it begins with its speaker's name.
    """
    if not transcript.segments:
        return ""
    paragraphs = (
        f"{speaker}: {text}" if named and speaker else text
        for speaker, text in _paragraphs(transcript.segments)
    )
    return "\n\n".join(paragraphs) + "\n"


def _paragraphs(segments: tuple[SpokenSegment, ...]) -> Iterator[tuple[str | None, str]]:
    paragraph = segments[0].running_text
    for before, segment in pairwise(segments):
        paused = segment.start - before.end >= _PAUSE
        full = len(paragraph) >= _LONG and ends_sentence(paragraph)
        voices = {(each.language, each.speaker) for each in (before, segment)}
        if paused or full or len(voices) > 1:
            yield before.speaker, paragraph.strip()
            paragraph = ""
        paragraph += segment.running_text
    yield segments[-1].speaker, paragraph.strip()
