"""The output files of a transcript."""

from typing import Final

from pipeline.artifacts import Artifact
from pipeline.contracts import transcript_words
from pipeline.contracts.contract import Contract

TranscriptKind = transcript_words.TranscriptKind

SUFFIXES: Final[dict[TranscriptKind, str]] = {
    "transcript": "_transcript.json",
    "srt": "_transcript.srt",
    "vtt": "_transcript.vtt",
    "text": "_transcript.txt",
    "speakers": "_speakers.rttm",
    "tags": "_tags.json",
    "denoised": "_denoised",  # and the extension of its format
}


class TranscriptFile(Contract):
    """One output file: the file in the work bucket, and the key to publish it under."""

    kind: TranscriptKind
    media_type: str
    artifact: Artifact
    work_key: str
    output_key: str


def output_key(stem: str, kind: TranscriptKind, *, extension: str = "") -> str:
    """Return the key under which one file of a recording is published."""
    return f"{stem}{SUFFIXES[kind]}{extension}"
