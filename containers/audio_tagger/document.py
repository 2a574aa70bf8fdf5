"""Declare the output file: the sounds of a recording, as JSON.

`predictions`, and the keys `label`, `start`, `end`, `max_score` and `mean_score` of a span, are
those of Media2Cloud's audio tags. Times are seconds from the start of the recording, scores are
probabilities (0…1).
"""

from __future__ import annotations

from pipeline.contracts.contract import Contract
from pipeline.contracts.sounds import Prediction


class TagSpan(Contract):
    """A label is heard from `start` to `end`, with these probabilities in its windows."""

    label: str
    start: float
    end: float
    max_score: float
    mean_score: float


class LabelTime(Contract):
    """The time of all spans of a label."""

    label: str
    duration_s: float
    max_score: float


class TimelineStep(Contract):
    """The mean probability of speech and of music from `start` to `end`."""

    start: float
    end: float
    speech: float
    music: float


class Tags(Contract):
    """The sounds of a recording.

    `predictions` are the labels of the whole recording, by their greatest probability at any time.
    `labels` has every label that has a span, the longest first. `remarks` are sentences that say
    what is left out.
    """

    model: str
    weights_sha256: str
    duration_s: float
    predictions: tuple[Prediction, ...]
    spans: tuple[TagSpan, ...]
    labels: tuple[LabelTime, ...]
    timeline: tuple[TimelineStep, ...]
    remarks: tuple[str, ...]
