"""The windows of a recording: the pieces in which somebody speaks.

All times are seconds from the start of the recording.
"""

from typing import Final

from pipeline.artifacts import Artifact
from pipeline.contracts.contract import Contract

SPEECH_RATE: Final = 16_000  # samples a second of every window's audio


class Span(Contract):
    start: float
    end: float


class Window(Contract):
    """A piece of the recording that is transcribed at once, and where somebody speaks in it.

    `audio` is FLAC, 16 bits, one channel, `SPEECH_RATE`; its first sample is at `start`.
    """

    index: int
    start: float
    end: float
    speech: tuple[Span, ...]
    audio: Artifact


class AudioPlan(Contract):
    """The windows of a recording, in order; a recording without speech has none."""

    duration_s: float
    windows: tuple[Window, ...]
