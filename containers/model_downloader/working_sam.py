"""Check that two files are a Segment Anything encoder and decoder that work together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from containers.model_downloader.networks import (
    GREY,
    RGB_CHANNELS,
    Tensor,
    fits,
    named_failures,
    open_quietly,
)
from pipeline.declared.engines import SamSpec
from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsMismatch

if TYPE_CHECKING:
    import onnxruntime as ort

_EARLIER_MASK: Final = (1, 1, 256, 256)
_LEAST_OUTPUTS: Final = 2  # masks, and the model's opinion of each


def require_sam(row: ModelRow, paths: Sequence[Path]) -> None:
    """Load the encoder and run it once on plain grey, then the decoder on a point in its middle.

    WeightsMismatch if they are not what the row declares or answer with something else than masks
    and their scores in finite numbers, OutOfMemory if they do not fit.
    """
    encoder, decoder, *_ = paths
    spec = row.spec(SamSpec)
    embedding = _embed(encoder, spec)
    session = open_quietly(decoder)
    feed = _point_in_the_middle(embedding, spec)
    _require_declared(decoder, session, feed)
    with named_failures(decoder, "does not run"):
        masks, scores, *_ = session.run(None, feed)
    if masks.shape[:2] != scores.shape or masks.shape[2:] != spec.canvas:
        raise WeightsMismatch(
            f"{decoder.name} answers {masks.shape} with scores {scores.shape}; its row wants masks "
            f"of {spec.canvas[0]}×{spec.canvas[1]} with one score each"
        )
    if not (np.isfinite(masks).all() and np.isfinite(scores).all()):
        raise WeightsMismatch(f"{decoder.name} answers a plain picture with numbers that are not")


def _embed(encoder: Path, spec: SamSpec) -> Tensor:
    session = open_quietly(encoder)
    taken, expected = session.get_inputs()[0].shape, [*spec.canvas, RGB_CHANNELS]
    if not fits(taken, expected):
        raise WeightsMismatch(f"{encoder.name} takes {taken}, its row says {expected}")
    grey = np.full(expected, GREY, dtype=np.float32)
    with named_failures(encoder, "does not run"):
        embedding: Tensor = session.run(None, {session.get_inputs()[0].name: grey})[0]
    return embedding


def _point_in_the_middle(embedding: Tensor, spec: SamSpec) -> dict[str, Tensor]:
    """All that a decoder takes: a point of label 1, and the padding point of label -1."""
    height, width = spec.canvas
    return {
        "image_embeddings": embedding,
        "point_coords": np.array([[[width / 2, height / 2], [0, 0]]], np.float32),
        "point_labels": np.array([[1, -1]], np.float32),
        "mask_input": np.zeros(_EARLIER_MASK, np.float32),
        "has_mask_input": np.zeros(1, np.float32),
        "orig_im_size": np.array(spec.canvas, np.float32),
    }


def _require_declared(path: Path, session: ort.InferenceSession, feed: dict[str, Tensor]) -> None:
    names = {value.name for value in session.get_inputs()}
    if names != feed.keys():
        raise WeightsMismatch(
            f"{path.name} takes {', '.join(sorted(names))}; a decoder of points and boxes takes "
            f"{', '.join(sorted(feed))}"
        )
    if len(session.get_outputs()) < _LEAST_OUTPUTS:
        raise WeightsMismatch(f"{path.name} gives masks without scores")
