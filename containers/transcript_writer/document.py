"""Write the transcript as JSON in the shape of WhisperX's output."""

from __future__ import annotations

import json

from containers.transcript_writer.stitching import SpokenSegment, SpokenWord, Transcript


def render_json(transcript: Transcript) -> str:
    """Return `language`, `segments` and `word_segments`: all words again, in one list.

    Every key is on every segment and every word; `speaker` is null where nobody's turn is near, and
    everywhere if speakers are not told apart. Times are seconds. A recording without speech has a
    null language and empty lists.
    """
    words = [[_word(word) for word in segment.words] for segment in transcript.segments]
    document = {
        "language": next(iter(transcript.languages), None),
        "segments": [
            _segment(segment, own) for segment, own in zip(transcript.segments, words, strict=True)
        ],
        "word_segments": [word for own in words for word in own],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def _segment(segment: SpokenSegment, words: list[dict[str, object]]) -> dict[str, object]:
    return {
        "start": segment.start / 1000,
        "end": segment.end / 1000,
        "text": segment.running_text.strip(),
        "language": segment.language,
        "speaker": segment.speaker,
        "words": words,
    }


def _word(word: SpokenWord) -> dict[str, object]:
    return {
        "word": word.text.strip(),
        "start": word.start / 1000,
        "end": word.end / 1000,
        "score": round(word.score, 3),
        "speaker": word.speaker,
        "aligned": word.aligned,
    }
