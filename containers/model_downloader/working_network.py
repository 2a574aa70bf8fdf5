"""Check that a row's files load, run, and answer as the row declares, before publishing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from containers.model_downloader.networks import (
    GREY,
    RGB_CHANNELS,
    Shape,
    Tensor,
    fits,
    named_failures,
    open_quietly,
)
from containers.model_downloader.working_sam import require_sam
from pipeline.declared.engines import Engine, SaliencySpec
from pipeline.declared.models import ModelRow
from pipeline.errors import WeightsMismatch

if TYPE_CHECKING:
    import onnxruntime as ort


def require_working_network(row: ModelRow, paths: Sequence[Path]) -> None:
    """Load the row's files, in its order, and run them once on a plain grey picture.

    WeightsMismatch if they are not what the row declares or answer with something else than finite
    numbers, OutOfMemory if they do not fit.
    """
    _CHECKS[row.engine](row, paths)


def _require_saliency(row: ModelRow, paths: Sequence[Path]) -> None:
    path, spec = paths[0], row.spec(SaliencySpec)
    session = open_quietly(path)
    _require_declared(path, session, spec)
    feed = {session.get_inputs()[0].name: plain_grey(spec)}
    with named_failures(path, "does not run"):
        (output,) = session.run([session.get_outputs()[0].name], feed)
    side = spec.input_size
    if output.shape[-2:] != (side, side):
        raise WeightsMismatch(f"{path.name} answers {output.shape}, its row wants {side}×{side}")
    if not np.isfinite(output).all():
        raise WeightsMismatch(f"{path.name} answers a plain picture with numbers that are not")


def plain_grey(spec: SaliencySpec) -> Tensor:
    """What the row's preprocessing makes of a picture that is grey all over: 1×3×S×S."""
    value = 1.0 if spec.scale == "max" else GREY / spec.scale
    colour = (np.float32(value) - np.array(spec.mean)) / np.array(spec.std)
    shape = (1, RGB_CHANNELS, spec.input_size, spec.input_size)
    return np.broadcast_to(colour[None, :, None, None], shape).astype(np.float32)


def _require_declared(path: Path, session: ort.InferenceSession, spec: SaliencySpec) -> None:
    taken, given = session.get_inputs()[0].shape, session.get_outputs()[0].shape
    expected = [1, RGB_CHANNELS, spec.input_size, spec.input_size]
    if not fits(taken, expected):
        raise WeightsMismatch(f"{path.name} takes {taken}, its row says {expected}")
    if not _is_map(given, spec.input_size):
        side = f"{spec.input_size}×{spec.input_size}"
        raise WeightsMismatch(f"{path.name} gives {given}, its row wants one map of {side}")


def _is_map(declared: Shape, side: int) -> bool:
    """Whether the last two axes are a `side`² map; an undeclared shape may be one."""
    return not declared or fits(declared[-2:], [side, side])


_CHECKS: Final[Mapping[Engine, Callable[[ModelRow, Sequence[Path]], None]]] = {
    "saliency": _require_saliency,
    "sam": require_sam,
}
