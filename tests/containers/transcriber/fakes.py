"""A model that answers as a test says, and sound with a level where somebody speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from containers.transcriber.guards import Answer
from containers.transcriber.mel import RATE, Samples
from containers.transcriber.small_whisper import build_whisper
from containers.transcriber.sound import Sound
from containers.transcriber.tokens import Vocabulary
from containers.transcriber.whisper import Sampling, TokenTimes
from pipeline.contracts.audio_windows import Span

WORDS = (" One", " two", " three", ".", " Four", " five", ".", " again", " and")


def span(start: float, end: float) -> Span:
    return Span(start=start, end=end)


def talk(start: float, end: float) -> list[Span]:
    """Speech with a pause of half a second after every second."""
    return [span(float(at), at + 1.0) for at in np.arange(start, end - 0.9, 1.5)]


def sound(*speech: Span, end: float, start: float = 0.0) -> Sound:
    """Noise where somebody speaks, and silence."""
    samples = np.zeros(round((end - start) * RATE), np.float32)
    noise = np.random.default_rng(1).standard_normal(len(samples)).astype(np.float32) * 0.1
    for one in speech:
        first, last = (round((at - start) * RATE) for at in (one.start, one.end))
        samples[first:last] = noise[first:last]
    return Sound(samples, start)


@dataclass
class Said:
    """What is said in a slice: a text, the language, and when its words begin in the slice."""

    text: str
    starts: Sequence[float] = ()
    languages: dict[str, float] = field(default_factory=lambda: {"en": 0.99})
    logprob: float = -0.2
    no_speech: float = 0.0
    probability: float = 0.9


@dataclass
class FakeModel:
    """Answers the n-th slice with the n-th of `script`; the last stands for all that follow."""

    vocabulary: Vocabulary
    script: list[list[Said]]
    multilingual: bool = True
    heard: list[float] = field(default_factory=list)
    prompts: list[list[int]] = field(default_factory=list)
    samplings: list[Sampling] = field(default_factory=list)

    def encode(self, samples: Samples) -> FakeSlice:
        self.heard.append(len(samples) / RATE)
        answers = self.script[min(len(self.heard), len(self.script)) - 1]
        return FakeSlice(self, list(answers))


@dataclass
class FakeSlice:
    model: FakeModel
    answers: list[Said]
    detections: int = 0

    def languages(self) -> dict[str, float]:
        self.detections += 1
        return self.answers[0].languages if self.model.multilingual else {}

    def write(self, prompt: Sequence[int], sampling: Sampling) -> Answer:
        self.model.prompts.append(list(prompt))
        self.model.samplings.append(sampling)
        if len(self.answers) > 1 and len(self.model.samplings) > 1:
            self.answers.pop(0)
        said = self.answers[0]
        tokens = self.model.vocabulary.tokenizer.encode(said.text, add_special_tokens=False).ids
        return Answer(tuple(tokens), said.text, said.logprob, said.no_speech)

    def times(self, start: Sequence[int], tokens: Sequence[int], seconds: float) -> TokenTimes:
        assert start
        said = self.answers[0]
        texts = [self.model.vocabulary.tokenizer.decode([token]) for token in tokens]
        spoken = sum(text.startswith(" ") for text in texts)
        known = said.starts or [seconds * index / spoken for index in range(spoken)]
        word, starts = -1, []
        for text in texts:
            word += text.startswith(" ")
            starts.append(known[min(word, len(known) - 1)])
        probabilities = np.full(len(tokens), said.probability, np.float32)
        return TokenTimes(np.array([*starts, seconds], np.float32), probabilities)


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    folder: Path = tmp_path_factory.mktemp("vocabulary")
    build_whisper(folder, WORDS, language="en")
    return Vocabulary.load(folder / "tokenizer.json")
