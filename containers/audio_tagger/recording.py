"""Collect the probabilities of all windows of a recording into its tags."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from containers.audio_tagger.document import LabelTime, TagSpan, TimelineStep
from containers.audio_tagger.labels import names_of
from containers.audio_tagger.spans import BestSpans, Span, SpanFinder, starts_at
from containers.audio_tagger.spec import Probabilities, TaggerSpec
from containers.audio_tagger.timeline import Timeline
from pipeline.contracts.sounds import Prediction


class Heard(NamedTuple):
    """The tags of a recording; see `Tags`."""

    predictions: tuple[Prediction, ...] = ()
    spans: tuple[TagSpan, ...] = ()
    labels: tuple[LabelTime, ...] = ()
    timeline: tuple[TimelineStep, ...] = ()
    remarks: tuple[str, ...] = ()


class Recording:
    """Takes the probabilities of one window after the other, and keeps none of them."""

    def __init__(self, spec: TaggerSpec) -> None:
        self._spec = spec
        self._names = names_of(spec.vocabulary)
        self._finder = SpanFinder(spec)
        self._best = BestSpans()
        self._timeline = Timeline()
        self._greatest = np.zeros(spec.labels)
        self._seconds = np.zeros(spec.labels)
        self.windows = 0

    def push(self, found: Probabilities) -> None:
        np.maximum(self._greatest, found, out=self._greatest)
        self._timeline.push(float(found[self._spec.speech]), float(found[self._spec.music]))
        for span in self._finder.push(found):
            self._keep(span)
        self.windows += 1

    def finish(self, duration_s: float, *, most_tags: int) -> Heard:
        """Return the tags, with at most `most_tags` predictions."""
        for span in self._finder.finish(duration_s):
            self._keep(span)
        return Heard(
            self._predictions(most_tags),
            tuple(map(self._written, self._best.in_order())),
            self._labels(),
            self._steps(duration_s),
            self._remarks(),
        )

    def _keep(self, span: Span) -> None:
        self._seconds[span.label] += span.end - span.start
        self._best.add(span)

    def _predictions(self, most: int) -> tuple[Prediction, ...]:
        scores = zip(self._greatest.round(4).tolist(), self._names, strict=True)
        first = sorted(scores, key=lambda one: (-one[0], one[1]))[:most]
        return tuple(Prediction(label=label, score=score) for score, label in first)

    def _labels(self) -> tuple[LabelTime, ...]:
        found = [
            LabelTime(
                label=self._names[label],
                duration_s=round(float(self._seconds[label]), 3),
                max_score=round(float(self._greatest[label]), 4),
            )
            for label in np.flatnonzero(self._seconds).tolist()
        ]
        return tuple(sorted(found, key=lambda one: (-one.duration_s, one.label)))

    def _steps(self, duration_s: float) -> tuple[TimelineStep, ...]:
        steps = self._timeline.steps()
        starts = [starts_at(step.first, self._spec) for step in steps]
        return tuple(
            TimelineStep(
                start=round(start, 3),
                end=round(end, 3),
                speech=round(step.speech, 4),
                music=round(step.music, 4),
            )
            for step, start, end in zip(steps, starts, [*starts[1:], duration_s], strict=True)
        )

    def _remarks(self) -> tuple[str, ...]:
        count = self._best.left_out
        if not count:
            return ()
        return (f"Number of spans left out, those with the lowest scores: {count:,}.",)

    def _written(self, span: Span) -> TagSpan:
        return TagSpan(
            label=self._names[span.label],
            start=round(span.start, 3),
            end=round(span.end, 3),
            max_score=round(span.max_score, 4),
            mean_score=round(span.mean_score, 4),
        )
