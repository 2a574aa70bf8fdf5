"""Run Segment Anything: an encoder once per photo, and a decoder for each prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from containers.background_remover.canvas import Placement
from containers.background_remover.choosing import Answer, choose
from containers.background_remover.embeddings import EmbeddingCache, Features
from containers.background_remover.masks import CandidateMask, Prediction, probability, to_levels
from containers.background_remover.network import Network, Tensor
from containers.background_remover.saliency import Stopwatch
from containers.background_remover.sam_contracts import BOTTOM_RIGHT, TOP_LEFT, Contract, Mark
from containers.background_remover.subject import CONFIDENT
from pipeline.errors import NoSubject
from pipeline.photo.pixels import Pixels
from pipeline.photo.prompts import SubjectPrompt


@dataclass(frozen=True)
class Sam:
    """A loaded decoder, and a loader of its encoder, which only new photos need."""

    open_encoder: Callable[[], Network]
    decoder: Network
    contract: Contract


def predict_subjects(
    sam: Sam,
    picture: Pixels,
    prompts: Sequence[SubjectPrompt],
    *,
    cache: EmbeddingCache,
    timed: Stopwatch,
) -> Prediction:
    """Return one mask of all prompted subjects, as large as fits on the canvas, and all candidates.

    Prompts are in pixels of the H×W×3 photo. Raises NoSubject for the first prompt without a
    subject.
    """
    features, cached = embed(sam.open_encoder, picture, sam.contract, cache=cache, timed=timed)
    placement = sam.contract.place((picture.shape[0], picture.shape[1]))
    with timed("infer"):
        subjects = tuple(_candidates(sam, features, one, placement) for one in prompts)
    chosen = [_chosen_mask(number, subject) for number, subject in enumerate(subjects, 1)]
    figures = {"embedding_cached": float(cached)}
    return Prediction(np.maximum.reduce(chosen), subjects, figures, least_coverage=0)


def embed(
    open_encoder: Callable[[], Network],
    picture: Pixels,
    contract: Contract,
    *,
    cache: EmbeddingCache,
    timed: Stopwatch,
) -> tuple[Features, bool]:
    """Return the embedding of an H×W×3 photo, which the cache then has, and whether it had it."""
    with timed("recall"):
        features = cache.recall()
    if features is not None:
        return features, True
    with timed("embed"):
        features = _encoded(open_encoder(), contract.to_tensor(picture), contract.features)
        cache.remember(features)
    return features, False


def _encoded(encoder: Network, tensor: Tensor, names: Sequence[str]) -> Features:
    """Return the encoder's outputs; `names` has their names in the encoder's own order."""
    answers = encoder.run({encoder.first_input: tensor}, outputs=len(names))
    if not all(np.isfinite(answer).all() for answer in answers):
        raise ValueError("the encoder returned NaN or infinity")
    return dict(zip(names, answers, strict=True))


def _candidates(
    sam: Sam, features: Features, prompt: SubjectPrompt, placement: Placement
) -> tuple[CandidateMask, ...]:
    """Return every mask that the decoder offers for one prompt, with its score."""
    answer = decode(sam.decoder, sam.contract, features, prompt, placement)
    best = choose(answer)
    return tuple(
        CandidateMask(
            to_levels(probability(sam.contract.lift(plane, placement))), float(score), index == best
        )
        for index, (plane, score) in enumerate(zip(answer.logits, answer.scores, strict=True))
    )


def decode(  # noqa: PLR0913 - what a decoder takes
    decoder: Network,
    contract: Contract,
    features: Features,
    prompt: SubjectPrompt,
    placement: Placement,
    *,
    hint: Tensor | None = None,
) -> Answer:
    """Ask the decoder, whole or cut, for one subject. `hint` is the logits of an earlier mask."""
    marks = to_marks(prompt, placement)
    feed = contract.feed(features, marks, placement, hint)
    logits, scores = decoder.run(feed, outputs=2)
    if np.isnan(logits).any() or np.isnan(scores).any():
        raise ValueError("the decoder returned NaN")
    return Answer(logits[0], scores[0], marks, max(placement.canvas))


def to_marks(prompt: SubjectPrompt, placement: Placement) -> list[Mark]:
    """Return x, y and label of every point and then of the box's corners, on the canvas.

    On a turned photo, other corners of the box are at the top left and bottom right.
    """
    marks: list[Mark] = [
        (*placement.locate(point.x, point.y), point.label) for point in prompt.points
    ]
    if prompt.box is None:
        return marks
    one = placement.locate(prompt.box.x0, prompt.box.y0)
    other = placement.locate(prompt.box.x1, prompt.box.y1)
    left, right = sorted((one[0], other[0]))
    top, bottom = sorted((one[1], other[1]))
    return [*marks, (left, top, TOP_LEFT), (right, bottom, BOTTOM_RIGHT)]


def _chosen_mask(number: int, candidates: Sequence[CandidateMask]) -> Pixels:
    (mask,) = (candidate.mask for candidate in candidates if candidate.chosen)
    if not (mask >= CONFIDENT).any():
        raise NoSubject(f"subject {number}: the model finds no subject at its points and box")
    return mask
