"""Load the network that tells speech from everything else, once per process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.weights.onnx_session import set_up

if TYPE_CHECKING:
    import onnxruntime as ort

_MOST_NETWORKS: Final = 2  # a function serves one; the local cloud's process may serve another


@lru_cache(maxsize=_MOST_NETWORKS)
def open_network(weights: Path) -> ort.InferenceSession:
    """Return a session with one thread: a step is too small to share."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    set_up(options, memory="kept", threads=1, optimised=False)
    return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
