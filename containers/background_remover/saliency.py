"""The saliency family (U-2-Net, IS-Net, BiRefNet): one engine, driven by the model's row."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.errors import OutOfMemory
from pipeline.manifest import SaliencySpec
from pipeline.photo import Pixels, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnxruntime as ort

Tensor = npt.NDArray[np.float32]
Stopwatch = Callable[[str], AbstractContextManager[None]]

# A photo is brought to this many times the network's size by plain averaging, which is quick, and
# only then resampled with care: with fewer the mask would change.
_QUICK_SHRINK: Final = 3

_ALLOCATION_FAILURES: Final = ("failed to allocate memory", "bad_alloc", "bad allocation")


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded model. One run at a time: a second one would double its memory."""

    session: ort.InferenceSession
    one_run: threading.Lock = field(default_factory=threading.Lock)


@lru_cache(maxsize=1)
def open_network(weights: Path) -> Network:
    """Load an ONNX file, once per process. OutOfMemory if it does not fit."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    options.inter_op_num_threads = 1
    # Without the arena, memory goes back after each run instead of staying at the worst photo's.
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with _named_allocation_failures():
        return Network(ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"]))


def read_picture(content: bytes, spec: SaliencySpec) -> Pixels:
    """H×W×3 of a photo file, upright, on white; a large JPEG no finer than the network can see."""
    return decode(content, least_side=_QUICK_SHRINK * spec.input_size).on_white()


def predict_mask(
    network: Network, spec: SaliencySpec, picture: Pixels, *, timed: Stopwatch
) -> Pixels:
    """The mask of an H×W×3 picture: input_size² uint8, 0 background … 255 subject."""
    with timed("prepare"):
        tensor = to_tensor(picture, spec)
    with timed("infer"), network.one_run, _named_allocation_failures():
        source = network.session.get_inputs()[0].name
        target = network.session.get_outputs()[0].name
        (output,) = network.session.run([target], {source: tensor})
    return to_mask(output, spec)


def to_tensor(picture: Pixels, spec: SaliencySpec) -> Tensor:
    """H×W×3 to the network's 1×3×S×S float32 input."""
    size = (spec.input_size, spec.input_size)
    whole = Image.fromarray(picture)
    stretched = whole.resize(size, Image.Resampling.LANCZOS, reducing_gap=_QUICK_SHRINK)
    colours = np.asarray(stretched, dtype=np.float32)
    scale = max(float(colours.max()), 1e-6) if spec.scale == "max" else spec.scale
    mean, std = np.array(spec.mean, np.float32), np.array(spec.std, np.float32)
    normalised = (colours / np.float32(scale) - mean) / std
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None], dtype=np.float32)


def to_mask(output: Tensor, spec: SaliencySpec) -> Pixels:
    """Output 0 (1×C×H×W, or with fewer leading axes) to an H×W uint8 mask, never stretched."""
    saliency = np.asarray(output, dtype=np.float32).reshape(-1, *output.shape[-2:])[0]
    if np.isnan(saliency).any():
        raise ValueError("the network answered with values that are not numbers (NaN)")
    if spec.activation == "sigmoid":
        saliency = 1 / (1 + np.exp(-np.clip(saliency, -30, 30)))
    mask: Pixels = (np.clip(saliency, 0, 1) * 255 + 0.5).astype(np.uint8)
    return mask


@contextmanager
def _named_allocation_failures() -> Iterator[None]:
    """Onnxruntime reports a failed allocation as a runtime error; only its text tells."""
    try:
        yield
    except Exception as error:
        text = str(error).lower()
        if any(sign in text for sign in _ALLOCATION_FAILURES):
            raise OutOfMemory(f"onnxruntime: {error}") from error
        raise
