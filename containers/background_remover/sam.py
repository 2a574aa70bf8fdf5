"""Run Segment Anything: an encoder once per photo, and a decoder for each prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

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

# The decoder's labels: background, subject, the corners of a box, and padding.
_TOP_LEFT: Final = 2
_BOTTOM_RIGHT: Final = 3
_PADDING: Final = -1

_EARLIER_MASK_SIDE: Final = 256
ANSWERS_OF_ALL: Final = 4


class SamSpec(Declaration):
    """The canvas of a Segment Anything encoder; the row's files are encoder and decoder.

    The photo is placed in the top left of a `canvas` (height, width) of RGB, 0…255. The encoder
    normalises it.
    """

    canvas: tuple[int, int]


@dataclass(frozen=True)
class Sam:
    """A loaded decoder, and a loader of its encoder, which only new photos need."""

    open_encoder: Callable[[], Network]
    decoder: Network
    spec: SamSpec


class Answer(NamedTuple):
    """A decoder's N×H×W logits and N scores for a prompt of so many marks."""

    logits: Tensor
    scores: Tensor
    marks: int


def predict_subjects(
    sam: Sam,
    picture: Pixels,
    prompts: Sequence[SubjectPrompt],
    *,
    cache: EmbeddingCache,
    timed: Stopwatch,
) -> Prediction:
    """Return one mask of all prompted subjects, at the canvas's resolution, and all candidates.

    Prompts are in pixels of the H×W×3 photo. Raises NoSubject for the first prompt without a
    subject.
    """
    embedding, cached = embed(sam.open_encoder, picture, sam.spec, cache=cache, timed=timed)
    placement = place((picture.shape[0], picture.shape[1]), sam.spec.canvas)
    with timed("infer"):
        subjects = tuple(_answer(sam.decoder, embedding, one, placement) for one in prompts)
    chosen = [_chosen_mask(number, subject) for number, subject in enumerate(subjects, 1)]
    figures = {"embedding_cached": float(cached)}
    return Prediction(np.maximum.reduce(chosen), subjects, figures, least_coverage=0)


def embed(
    open_encoder: Callable[[], Network],
    picture: Pixels,
    spec: SamSpec,
    *,
    cache: EmbeddingCache,
    timed: Stopwatch,
) -> tuple[Tensor, bool]:
    """Return the embedding of an H×W×3 photo, which the cache then has, and whether it had it."""
    with timed("recall"):
        embedding = cache.recall()
    if embedding is not None:
        return embedding, True
    placement = place((picture.shape[0], picture.shape[1]), spec.canvas)
    with timed("embed"):
        embedding = _encoded(open_encoder(), placement.paint(picture))
        cache.remember(embedding)
    return embedding, False


def _encoded(encoder: Network, canvas: Tensor) -> Tensor:
    (embedding,) = encoder.run({encoder.first_input: canvas})
    if not np.isfinite(embedding).all():
        raise ValueError("the encoder returned NaN or infinity")
    return embedding


def _answer(
    decoder: Network, embedding: Tensor, prompt: SubjectPrompt, placement: Placement
) -> tuple[CandidateMask, ...]:
    """Return every mask that the decoder offers for one prompt, with its score."""
    answer = decode(decoder, embedding, prompt, placement)
    best = choose(answer.scores, marks=answer.marks)
    return tuple(
        CandidateMask(to_levels(probability(placement.lift(plane))), float(score), index == best)
        for index, (plane, score) in enumerate(zip(answer.logits, answer.scores, strict=True))
    )


def decode(
    decoder: Network,
    embedding: Tensor,
    prompt: SubjectPrompt,
    placement: Placement,
    *,
    hint: Tensor | None = None,
) -> Answer:
    """Ask the decoder, whole or cut, for one subject. `hint` is the logits of an earlier mask."""
    marks = [*to_marks(prompt, placement), (0.0, 0.0, _PADDING)]
    table = np.array(marks, dtype=np.float32)[None]
    none = np.zeros((_EARLIER_MASK_SIDE, _EARLIER_MASK_SIDE), np.float32)
    logits, scores = decoder.run(
        {
            "image_embeddings": embedding,
            "point_coords": table[..., :2],
            "point_labels": table[..., 2],
            "mask_input": (none if hint is None else hint)[None, None],
            "has_mask_input": np.full(1, hint is not None, np.float32),
            "orig_im_size": np.array(placement.canvas, np.float32),
        },
        outputs=2,
    )
    if np.isnan(logits).any() or np.isnan(scores).any():
        raise ValueError("the decoder returned NaN")
    return Answer(logits[0], scores[0], len(marks) - 1)


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
    return [*marks, (left, top, _TOP_LEFT), (right, bottom, _BOTTOM_RIGHT)]


def choose(scores: Tensor, *, marks: int) -> int:
    """Choose the candidate, by the rule the model was trained with.

    Of four candidates, the first is for prompts of several marks. A single point may mean a part,
    an object or a group, so the best of the other three is chosen. Of other numbers, the best is
    chosen.
    """
    if len(scores) != ANSWERS_OF_ALL:
        return int(np.argmax(scores))
    return 0 if marks > 1 else 1 + int(np.argmax(scores[1:]))


def _chosen_mask(number: int, candidates: Sequence[CandidateMask]) -> Pixels:
    (mask,) = (candidate.mask for candidate in candidates if candidate.chosen)
    if not (mask >= CONFIDENT).any():
        raise NoSubject(f"subject {number}: the model finds no subject at its points and box")
    return mask
