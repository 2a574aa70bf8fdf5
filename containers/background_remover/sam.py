"""Segment Anything: an encoder that looks at the photo once, a decoder that answers each prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from containers.background_remover.canvas import Placement, place
from containers.background_remover.embeddings import EmbeddingCache
from containers.background_remover.masks import CandidateMask, Prediction, probability, to_levels
from containers.background_remover.network import Network, Tensor
from containers.background_remover.saliency import Stopwatch
from containers.background_remover.subject import CONFIDENT
from pipeline.declared.declaration import Declaration
from pipeline.errors import NoSubject
from pipeline.photo.pixels import Pixels
from pipeline.photo.prompts import SubjectPrompt

Mark = tuple[float, float, int]

# How a decoder tells marks apart: background, subject, a box's two corners, and padding.
_TOP_LEFT: Final = 2
_BOTTOM_RIGHT: Final = 3
_PADDING: Final = -1

_EARLIER_MASK_SIDE: Final = 256
_ANSWERS_OF_ALL: Final = 4


class SamSpec(Declaration):
    """What a Segment Anything encoder looks at; the row's files are encoder and decoder.

    The photo is fitted into the top left of a `canvas` (height, width) of RGB, 0…255. The encoder
    normalises it itself.
    """

    canvas: tuple[int, int]


@dataclass(frozen=True)
class Sam:
    """A loaded decoder, and how to load its encoder: that is only for photos never seen."""

    open_encoder: Callable[[], Network]
    decoder: Network
    spec: SamSpec


def predict_subjects(
    sam: Sam,
    picture: Pixels,
    prompts: Sequence[SubjectPrompt],
    *,
    cache: EmbeddingCache,
    timed: Stopwatch,
) -> Prediction:
    """One mask of all prompted subjects, at the canvas's resolution, and every candidate.

    Prompts are in pixels of the H×W×3 picture. NoSubject names the first that shows nothing.
    """
    placement = place((picture.shape[0], picture.shape[1]), sam.spec.canvas)
    with timed("recall"):
        embedding = cache.recall()
    cached = embedding is not None
    if embedding is None:
        with timed("embed"):
            embedding = _embed(sam.open_encoder(), placement.paint(picture))
            cache.remember(embedding)
    with timed("infer"):
        subjects = tuple(_answer(sam.decoder, embedding, one, placement) for one in prompts)
    chosen = [_chosen_mask(number, subject) for number, subject in enumerate(subjects, 1)]
    figures = {"embedding_cached": float(cached)}
    return Prediction(np.maximum.reduce(chosen), subjects, figures, least_coverage=0)


def _embed(encoder: Network, canvas: Tensor) -> Tensor:
    (embedding,) = encoder.run({encoder.first_input: canvas})
    if not np.isfinite(embedding).all():
        raise ValueError("the encoder answered with values that are not finite numbers")
    return embedding


def _answer(
    decoder: Network, embedding: Tensor, prompt: SubjectPrompt, placement: Placement
) -> tuple[CandidateMask, ...]:
    """Every mask the decoder offers for one prompt, with its score."""
    marks = [*to_marks(prompt, placement), (0.0, 0.0, _PADDING)]
    table = np.array(marks, dtype=np.float32)[None]
    logits, scores = decoder.run(
        {
            "image_embeddings": embedding,
            "point_coords": table[..., :2],
            "point_labels": table[..., 2],
            "mask_input": np.zeros((1, 1, _EARLIER_MASK_SIDE, _EARLIER_MASK_SIDE), np.float32),
            "has_mask_input": np.zeros(1, np.float32),
            "orig_im_size": np.array(placement.canvas, np.float32),
        },
        outputs=2,
    )
    if np.isnan(logits).any() or np.isnan(scores).any():
        raise ValueError("the network answered with values that are not numbers (NaN)")
    best = choose(scores[0], marks=len(marks) - 1)
    return tuple(
        CandidateMask(to_levels(probability(placement.lift(plane))), float(score), index == best)
        for index, (plane, score) in enumerate(zip(logits[0], scores[0], strict=True))
    )


def to_marks(prompt: SubjectPrompt, placement: Placement) -> list[Mark]:
    """x, y and label of every mark on the canvas: the points, then the corners of the box.

    On its side, a box has other corners at the top left and bottom right.
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
    return [*marks, (left, top, _TOP_LEFT), (right, bottom, _BOTTOM_RIGHT)]


def choose(scores: Tensor, *, marks: int) -> int:
    """Which candidate is meant, by the rule the model was trained with.

    Of four, the first answers prompts of several marks; a single point may mean a part, a thing
    or a group, so there it is the best of the other three. Otherwise the best.
    """
    if len(scores) != _ANSWERS_OF_ALL:
        return int(np.argmax(scores))
    return 0 if marks > 1 else 1 + int(np.argmax(scores[1:]))


def _chosen_mask(number: int, candidates: Sequence[CandidateMask]) -> Pixels:
    (mask,) = (candidate.mask for candidate in candidates if candidate.chosen)
    if not (mask >= CONFIDENT).any():
        raise NoSubject(f"subject {number}: nothing stands out where the prompt shows it")
    return mask
