"""Windows and transcripts that tests make up, word by word."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from containers.transcript_writer.stitching import Transcript, stitch
from containers.transcript_writer.windows import TranscribedWindow
from pipeline.artifacts import Artifact
from pipeline.contracts.audio_windows import Span, Window
from pipeline.contracts.contract import Provenance
from pipeline.contracts.speakers import PartSpeaker, PartSpeakers, Turn
from pipeline.contracts.transcript import Segment, WindowTranscript, Word

WEIGHTS: Final = hashlib.sha256(b"whisper").hexdigest()
TRANSCRIBER: Final = Provenance(container="transcriber", version="0.1.0", image_digest="none")
DIARIZER: Final = Provenance(container="diarizer", version="0.1.0", image_digest="none")

Timed = tuple[str, float, float]  # text, start and end in seconds


def segment(*words: Timed, language: str = "en") -> Segment:
    """A segment of these words; its text is theirs."""
    return Segment(
        start=words[0][1] if words else 0.0,
        end=words[-1][2] if words else 0.0,
        text="".join(text for text, _, _ in words).strip(),
        language=language,
        words=tuple(
            Word(text=text, start=start, end=end, score=0.875, aligned=True)
            for text, start, end in words
        ),
    )


def window(  # noqa: PLR0913 - a window has as many fields
    *segments: Segment,
    index: int = 0,
    start: float = 0.0,
    end: float = 300.0,
    coverage: float = 1.0,
    remarks: Sequence[str] = (),
    weights: str = WEIGHTS,
) -> TranscribedWindow:
    """A window of the plan in which somebody speaks from its start to its end."""
    audio = Artifact(uri=f"s3://matteline-work/speech/{index:04}.flac", sha256="0" * 64, bytes=1)
    planned = Window(
        index=index, start=start, end=end, speech=(Span(start=start, end=end),), audio=audio
    )
    said = WindowTranscript(
        index=index, segments=segments, languages={"en": 1.0}, coverage=coverage,
        remarks=tuple(remarks), model="whisper-base", weights_sha256=weights,
        metrics={"tokens": 3.0, "decode_ms": 0.5}, provenance=TRANSCRIBER,
    )  # fmt: skip
    return TranscribedWindow(planned, said)


def part(  # noqa: PLR0913 - a part has as many fields
    *turns: tuple[float, float, int],
    index: int = 0,
    voices: Sequence[Sequence[float]] = (),
    link_below: float = 0.5,
    remarks: Sequence[str] = (),
    weights: str = WEIGHTS,
    model: str = "pyannote-campplus",
) -> PartSpeakers:
    """A part with these turns (start, end, speaker); voices speak for as long as their turns."""
    spoken_s = [
        sum(end - start for start, end, who in turns if who == speaker)
        for speaker in range(len(voices))
    ]
    return PartSpeakers(
        index=index, turns=tuple(Turn(start=s, end=e, speaker=who) for s, e, who in turns),
        speakers=tuple(
            PartSpeaker(centroid=tuple(voice), speech_s=seconds)
            for voice, seconds in zip(voices, spoken_s, strict=True)
        ),
        link_below=link_below, remarks=tuple(remarks), model=model, weights_sha256=weights,
        metrics={"embed_ms": 1.5}, provenance=DIARIZER,
    )  # fmt: skip


def spoken(
    text: str, *, language: str = "en", start: float = 0.0, rate: float = 0.3, pause: float = 0.0
) -> Segment:
    """A segment whose words follow each other, `rate` seconds each, with `pause` after each comma.

    A language without spaces has one word a character, as Whisper writes them.
    """
    words: list[Timed] = []
    parts = list(text) if language in {"ja", "zh", "th"} else [f" {each}" for each in text.split()]
    for part in parts:
        words.append((part, round(start, 3), round(start + rate, 3)))
        start += rate + (pause if part[-1] in ",、" else 0.0)
    return segment(*words, language=language)


def transcript(*segments: Segment, duration_s: float = 300.0) -> Transcript:
    return stitch([window(*segments, end=duration_s)], duration_s=duration_s)


def letters(texts: Iterable[str]) -> str:
    """All characters but spaces: what was said, however it is laid out."""
    return "".join("".join(texts).split())
