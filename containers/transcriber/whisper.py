"""A Whisper model in CTranslate2: one pass of the encoder for each slice, then text and times."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from containers.transcriber.engine import is_allocation_failure, load_engine
from containers.transcriber.guards import Answer
from containers.transcriber.mel import HOP, RATE, Samples, log_mel
from containers.transcriber.tokens import Vocabulary
from pipeline.errors import OutOfMemory, WeightsMismatch
from pipeline.weights.processor import Processor

FRAMES_A_SECOND: Final = 50  # of the encoder
_SEED: Final = 1  # the same sound always gives the same text


class Sampling(NamedTuple):
    """How an answer is searched: greedy, with beams, or at random with a temperature."""

    beams: int = 1
    temperature: float = 0.0


class TokenTimes(NamedTuple):
    """Each token's start, in seconds of the slice, with the end of the last; and probabilities."""

    starts: Samples
    probabilities: Samples


class Encoded(Protocol):
    """What the encoder makes of a slice."""

    def languages(self) -> dict[str, float]:
        """Return the probability (0…1) of each language; empty if the model knows English only."""
        ...

    def write(self, prompt: Sequence[int], sampling: Sampling) -> Answer:
        """Return the text that follows the prompt."""
        ...

    def times(self, start: Sequence[int], tokens: Sequence[int], seconds: float) -> TokenTimes:
        """Time tokens by cross-attention. `seconds` of the slice are sound."""
        ...


class Model(Protocol):
    """What the rules need of a model, so that tests can answer in its place."""

    @property
    def vocabulary(self) -> Vocabulary: ...

    @property
    def multilingual(self) -> bool:
        """False if the model knows English only."""
        ...

    def encode(self, samples: Samples) -> Encoded:
        """Hear at most 30 s of 16 kHz sound."""
        ...


@dataclass(frozen=True, eq=False)
class Whisper:
    """A loaded model. It works on one slice at a time."""

    engine: Any  # ctranslate2.models.Whisper
    vocabulary: Vocabulary
    processor: Processor
    one_run: threading.Lock = field(default_factory=threading.Lock)

    @property
    def multilingual(self) -> bool:
        """False if the model knows English only."""
        known: bool = self.engine.is_multilingual
        return known

    def encode(self, samples: Samples) -> EncodedSlice:
        """Run the encoder on at most 30 s of sound. Raises OutOfMemory."""
        import ctranslate2  # noqa: PLC0415 - loads with the model

        features = log_mel(samples, self.engine.n_mels)[None]
        with self.one_run, _named_allocation_failures():
            view = ctranslate2.StorageView.from_array(np.ascontiguousarray(features))
            return EncodedSlice(self, self.engine.encode(view))


@dataclass(frozen=True, eq=False)
class EncodedSlice:
    """The encoder's output, which detection, decoding and alignment share."""

    model: Whisper
    view: Any  # ctranslate2.StorageView

    def languages(self) -> dict[str, float]:
        if not self.model.multilingual:
            return {}
        with self.model.one_run, _named_allocation_failures():
            (found,) = self.model.engine.detect_language(self.view)
        return {token[2:-2]: probability for token, probability in found}

    def write(self, prompt: Sequence[int], sampling: Sampling) -> Answer:
        import ctranslate2  # noqa: PLC0415 - loaded already

        random = sampling.temperature > 0
        with self.model.one_run, _named_allocation_failures():
            ctranslate2.set_random_seed(_SEED)
            (found,) = self.model.engine.generate(
                self.view,
                [list(prompt)],
                beam_size=sampling.beams,
                sampling_topk=0 if random else 1,
                sampling_temperature=sampling.temperature if random else 1,
                return_scores=True,
                return_no_speech_prob=True,
            )
        tokens = [token for token in found.sequences_ids[0] if token < self.model.vocabulary.end]
        # The score is the mean over the tokens; the reference also counts the one that ends.
        mean = found.scores[0] * len(tokens) / (len(tokens) + 1)
        text = self.model.vocabulary.text(tokens)
        return Answer(tuple(tokens), text, mean, found.no_speech_prob)

    def times(self, start: Sequence[int], tokens: Sequence[int], seconds: float) -> TokenTimes:
        frames = min(int(seconds * RATE) // HOP, 2 * self.view.shape[1])
        with self.model.one_run, _named_allocation_failures():
            (found,) = self.model.engine.align(self.view, list(start), [list(tokens)], frames)
        path = np.array(found.alignments)
        starts = first_frames(path, len(tokens) + 1) / np.float32(FRAMES_A_SECOND)
        return TokenTimes(starts, np.array(found.text_token_probs, np.float32))


def first_frames(path: Samples, tokens: int) -> Samples:
    """Return the first frame of each token on an alignment path, k×2 of token and frame."""
    first = np.full(tokens, -1.0, np.float32)
    for token, frame in path[::-1]:
        if 0 <= token < tokens:
            first[int(token)] = max(frame, 0)  # CTranslate2 may begin a path at -1
    known = np.nonzero(first >= 0)[0]
    if not len(known):
        return np.zeros(tokens, np.float32)
    filled: Samples = np.interp(np.arange(tokens), known, first[known]).astype(np.float32)
    return filled


@lru_cache(maxsize=1)
def open_whisper(folder: Path, *, threads: int) -> Whisper:
    """Load the model in a folder, once per process. Its products are in 8 bits where they can be.

    Raises OutOfMemory if it does not fit, WeightsMismatch if CTranslate2 cannot read it.
    """
    import ctranslate2  # noqa: PLC0415 - loads with the model

    with _named_allocation_failures():
        try:
            engine, processor = load_engine(ctranslate2, folder, threads=threads)
        except (RuntimeError, ValueError) as error:
            if is_allocation_failure(error):
                raise
            raise WeightsMismatch(f"CTranslate2 cannot load the model: {error}") from error
    return Whisper(engine, Vocabulary.load(folder / "tokenizer.json"), processor)


@contextmanager
def _named_allocation_failures() -> Iterator[None]:
    """Raise OutOfMemory for failed allocations, which CTranslate2 reports only in its text."""
    try:
        yield
    except RuntimeError as error:
        if is_allocation_failure(error):
            raise OutOfMemory(f"ctranslate2: {error}") from error
        raise
