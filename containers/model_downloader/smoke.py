"""Is this the network the catalogue describes, and does it work? Asked before anybody loads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from pipeline.errors import OutOfMemory, WeightsMismatch
from pipeline.manifest import ModelRow, SaliencySpec

if TYPE_CHECKING:
    import onnxruntime as ort

Shape = list[int | str | None]
Tensor = npt.NDArray[np.float32]

_RGB_CHANNELS: Final = 3
_GREY: Final = 128.0
_ALLOCATION_FAILURES: Final = ("failed to allocate memory", "bad_alloc", "bad allocation")


def require_working_network(row: ModelRow, paths: Sequence[Path]) -> None:
    """Load the row's files, in its order, and run them once on a plain grey picture.

    WeightsMismatch if they are not what the row declares or answer with something else than finite
    numbers, OutOfMemory if they do not fit.
    """
    _CHECKS[row.engine](row, paths)


def _require_saliency(row: ModelRow, paths: Sequence[Path]) -> None:
    path, spec = paths[0], row.saliency
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


_CHECKS: Final[Mapping[str, Callable[[ModelRow, Sequence[Path]], None]]] = {
    "saliency": _require_saliency,
}


def open_quietly(path: Path) -> ort.InferenceSession:
    """Load an ONNX file in as little memory as onnxruntime can do with, and as it stands."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_cpu_mem_arena = False
    options.enable_mem_reuse = False
    options.log_severity_level = 4
    with named_failures(path, "is not a loadable ONNX model"):
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def plain_grey(spec: SaliencySpec) -> Tensor:
    """What the row's preprocessing makes of a picture that is grey all over: 1×3×S×S."""
    value = 1.0 if spec.scale == "max" else _GREY / spec.scale
    colour = (np.float32(value) - np.array(spec.mean)) / np.array(spec.std)
    shape = (1, _RGB_CHANNELS, spec.input_size, spec.input_size)
    return np.broadcast_to(colour[None, :, None, None], shape).astype(np.float32)


@contextmanager
def named_failures(path: Path, wrong: str) -> Iterator[None]:
    """Onnxruntime's exceptions share no base below Exception; only their text tells them apart."""
    try:
        yield
    except Exception as error:
        text = str(error).lower()
        if isinstance(error, MemoryError) or any(sign in text for sign in _ALLOCATION_FAILURES):
            raise OutOfMemory(f"{path.name} does not fit in memory ({error!r})") from error
        raise WeightsMismatch(f"{path.name} {wrong}: {error}") from error


def _require_declared(path: Path, session: ort.InferenceSession, spec: SaliencySpec) -> None:
    taken, given = session.get_inputs()[0].shape, session.get_outputs()[0].shape
    expected = [1, _RGB_CHANNELS, spec.input_size, spec.input_size]
    if not fits(taken, expected):
        raise WeightsMismatch(f"{path.name} takes {taken}, its row says {expected}")
    if not _is_map(given, spec.input_size):
        side = f"{spec.input_size}×{spec.input_size}"
        raise WeightsMismatch(f"{path.name} gives {given}, its row wants one map of {side}")


def _is_map(declared: Shape, side: int) -> bool:
    """Whether the last two axes are a `side`² map; an undeclared shape may be one."""
    return not declared or fits(declared[-2:], [side, side])


def fits(declared: Shape, expected: list[int]) -> bool:
    """Whether every fixed axis is the expected one; a named axis takes any size."""
    return len(declared) == len(expected) and all(
        not isinstance(axis, int) or axis == size
        for axis, size in zip(declared, expected, strict=True)
    )
